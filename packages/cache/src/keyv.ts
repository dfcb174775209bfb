export {
  type KeyvStore,
  type KeyvStoreEntry,
  type KeyvStoreOptions,
  keyvStore,
} from './keyv/keyv-store.ts'
