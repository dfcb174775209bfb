import type { CacheDriver } from '../driver.ts'

/** A driver that fails as it is told to, and counts. */
export interface FaultyDriver extends CacheDriver {
  mode: 'good' | 'refuses' | 'hangs' | 'loses answers'
  /** How long each call takes; only with timers that stand still or are waited for. */
  slowMs: number
  /** What was called, those that went out together in one list: a round trip. */
  readonly trips: string[][]
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
const never = () => new Promise<never>(() => {})

/** Puts faults in front of a driver. */
export function faulty(driver: CacheDriver): FaultyDriver {
  const trips: string[][] = []
  let open: string[] | undefined
  const count = (name: string) => {
    if (open === undefined) {
      open = []
      trips.push(open)
    }
    open.push(name)
  }
  const call = async <T>(name: string, does: () => Promise<T>): Promise<T> => {
    count(name)
    if (self.mode === 'refuses') throw new Error('refused')
    if (self.mode === 'hangs') return await never()
    if (self.slowMs > 0) await sleep(self.slowMs)
    else await new Promise<void>((resolve) => setImmediate(resolve))
    // What is called from here on was called because of an answer.
    open = undefined
    const answer = await does()
    return self.mode === 'loses answers' ? await never() : answer
  }
  const self: FaultyDriver = {
    mode: 'good',
    slowMs: 0,
    trips,
    read: (keys) => call('read', () => driver.read(keys)),
    write: (writes) => call('write', () => driver.write(writes)),
    remove: (keys, markMs) => call('remove', () => driver.remove(keys, markMs)),
    now: () => call('now', () => driver.now()),
    epochs: (tags) => call('epochs', () => driver.epochs(tags)),
    know: (tags, ttlMs, seq) => call('know', () => driver.know(tags, ttlMs, seq)),
    invalidate: (tag, ttlMs) => call('invalidate', () => driver.invalidate(tag, ttlMs)),
    lock: (key, token, ttlMs) => call('lock', () => driver.lock(key, token, ttlMs)),
    unlock: (key, token) => call('unlock', () => driver.unlock(key, token)),
    async *keys(match) {
      for await (const keys of driver.keys(match)) yield await call('keys', async () => keys)
    },
  }
  return self
}
