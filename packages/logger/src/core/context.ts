import { AsyncLocalStorage } from 'node:async_hooks'

/** Fields of a log line: names with any values. */
export type Fields = Readonly<Record<string, unknown>>

type Store = Record<string, unknown>

const storage = new AsyncLocalStorage<Store | undefined>()

/**
 * Runs `fn` so that every line logged in it, and in whatever it starts, carries `fields`. Nested calls
 * add to the fields around them and win on equal names. Returns what `fn` returns.
 */
export function withContext<T>(fields: Fields, fn: () => T): T {
  return storage.run({ ...storage.getStore(), ...fields }, fn)
}

/** The fields that a line logged here would carry, as a copy; empty outside of `withContext`. */
export function getContext(): Fields {
  return { ...storage.getStore() }
}

/**
 * Adds fields to the context around the caller, for what only turns out on the way (a tenant, once
 * authenticated). Lines of the whole `withContext` call carry them from now on; one around it doesn't.
 * Outside of a context it does nothing.
 */
export function addContext(fields: Fields): void {
  const store = storage.getStore()
  if (store !== undefined) Object.assign(store, fields)
}

/** Runs `fn` outside of every context: what it logs carries only its own fields. */
export function outsideContext(fn: () => void): void {
  storage.run(undefined, fn)
}

/** The live context, for the line being written. */
export function currentContext(): Fields | undefined {
  return storage.getStore()
}
