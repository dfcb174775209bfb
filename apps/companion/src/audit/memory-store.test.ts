import { describe, it } from 'vitest'
import { memoryAuditStore } from './memory-store.ts'
import { auditStoreConformance } from './store-conformance.ts'

describe('memoryAuditStore', () => {
  for (const { name, run } of auditStoreConformance) {
    it(name, async () => {
      const store = memoryAuditStore()
      await run({ open: async () => [store, store] })
    })
  }
})
