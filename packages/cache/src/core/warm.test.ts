import { afterEach, describe, expect, it, vi } from 'vitest'
import { createCache } from './create-cache.ts'
import { type WarmItem, warm } from './warm.ts'

const item = (key: string, load: WarmItem['load'] = () => `${key}!`): WarmItem => ({ key, load })
const items = (count: number, load?: WarmItem['load']) =>
  Array.from({ length: count }, (_, i) => item(`key-${i}`, load))
const settled = () => new Promise((resolve) => setImmediate(resolve))

/** Loaders that are let go one by one. */
function gate() {
  const waiting: (() => void)[] = []
  let [running, most] = [0, 0]
  const load = async () => {
    running += 1
    most = Math.max(most, running)
    await new Promise<void>((resolve) => waiting.push(resolve))
    running -= 1
    return 'loaded'
  }
  return {
    load,
    waiting,
    open: () => waiting.shift()?.(),
    most: () => most,
  }
}

afterEach(() => void vi.useRealTimers())

describe('warm', () => {
  it('loads what is not there, and says what it did', async () => {
    const cache = createCache()
    await cache.set('key-1', 'here')
    const failing = item('bad', () => Promise.reject(new Error('no answer')))
    const result = await warm(cache, [...items(3), failing])
    expect(result).toEqual({ done: 2, failed: 1, skipped: 1, total: 4, ended: 'list' })
    expect(await cache.getMany(['key-0', 'key-1', 'bad'])).toEqual(['key-0!', 'here', undefined])
  })

  it('waits for the successor of what is stale', async () => {
    let now = 1_000
    const cache = createCache({ now: () => now, ttl: 1_000, stale: '1h', jitter: 0 })
    await cache.set('key-0', 'old')
    now += 2_000
    expect(await warm(cache, items(1))).toMatchObject({ done: 1, skipped: 0 })
    expect(cache.peek('key-0')).toBe('key-0!')
  })

  it('counts as failed what stays stale because its loader failed', async () => {
    let now = 1_000
    const cache = createCache({ now: () => now, ttl: 1_000, stale: '1h', jitter: 0 })
    await cache.set('key-0', 'old')
    now += 2_000
    const load = () => Promise.reject(new Error('no answer'))
    expect(await warm(cache, items(1, load))).toMatchObject({ done: 0, failed: 1 })
  })

  it('loads with the options of each entry', async () => {
    const cache = createCache()
    await warm(cache, [{ ...item('a'), options: { tags: ['t'] } }, item('b')])
    expect(await cache.invalidate({ tag: 't' })).toBe(1)
    expect(cache.peek('b')).toBe('b!')
  })

  it('loads so many at a time, and reads no further ahead', async () => {
    const { load, waiting, open, most } = gate()
    let read = 0
    function* list() {
      for (const one of items(20, load)) {
        read += 1
        yield one
      }
    }
    const warming = warm(createCache(), list(), { concurrency: 3 })
    await settled()
    expect([read, waiting.length]).toEqual([3, 3])
    for (let i = 0; i < 20; i++) {
      open()
      await settled()
    }
    expect(await warming).toMatchObject({ done: 20, total: undefined })
    expect(most()).toBe(3)
  })

  it('takes a list that comes bit by bit', async () => {
    async function* list() {
      for (const one of items(3)) {
        await settled()
        yield one
      }
    }
    expect(await warm(createCache(), list())).toMatchObject({ done: 3, ended: 'list' })
  })

  it('tells its progress, whatever the listener throws', async () => {
    const told: number[] = []
    const onProgress = ({ done, total = 0 }: { done: number; total: number | undefined }) => {
      told.push(done / total)
      throw new Error('not my problem')
    }
    await warm(createCache(), items(4), { concurrency: 1, onProgress })
    expect(told).toEqual([0.25, 0.5, 0.75, 1])
  })

  it('calls no more loaders than its budget, whatever it skips, and leaves an endless list', async () => {
    const cache = createCache()
    for (let i = 0; i < 10; i++) await cache.set(`key-${i}`, 'here')
    let left = false
    function* list() {
      try {
        for (let i = 0; ; i++) yield item(`key-${i}`)
      } finally {
        left = true
      }
    }
    const result = await warm(cache, list(), { budget: { calls: 5 } })
    expect(result).toMatchObject({ done: 5, skipped: 10, ended: 'budget' })
    expect(left).toBe(true)
  })

  it('calls nobody on a budget of nothing', async () => {
    const load = vi.fn()
    await warm(createCache(), items(3, load), { budget: { calls: 0 } })
    expect(load).not.toHaveBeenCalled()
  })

  it('begins nothing more when its time is over, and finishes what runs', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { load, open } = gate()
    const warming = warm(createCache(), items(5, load), { concurrency: 2, budget: { ms: '1s' } })
    await settled()
    vi.advanceTimersByTime(1_000)
    open()
    open()
    expect(await warming).toMatchObject({ done: 2, ended: 'budget' })
  })

  it('is not kept by a list that hangs', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    async function* hanging() {
      yield item('a')
      await new Promise(() => undefined)
    }
    const warming = warm(createCache(), hanging(), { budget: { ms: '1s' } })
    await settled()
    vi.advanceTimersByTime(1_000)
    expect(await warming).toMatchObject({ done: 1, ended: 'budget' })
  })

  it("ends with its signal, which is the loaders' too", async () => {
    const stop = new AbortController()
    const signals: AbortSignal[] = []
    const load: WarmItem['load'] = ({ signal }) => {
      signals.push(signal)
      return new Promise(() => undefined)
    }
    const warming = warm(createCache(), items(5, load), { concurrency: 2, signal: stop.signal })
    const ended = expect(warming).rejects.toThrow('enough')
    await settled()
    stop.abort(new Error('enough'))
    await ended
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true])
    await expect(warm(createCache(), items(1), { signal: stop.signal })).rejects.toThrow('enough')
  })

  it('counts an entry that is none as failed, and rejects with what the list throws', async () => {
    function* list() {
      yield undefined as unknown as WarmItem
      yield item('')
      yield item('a')
      throw new Error('the list is broken')
    }
    const told = vi.fn()
    const warming = warm(createCache(), list(), { concurrency: 1, onProgress: told })
    await expect(warming).rejects.toThrow('the list is broken')
    expect(told).toHaveBeenLastCalledWith({ done: 1, failed: 2, skipped: 0, total: undefined })
  })

  it('refuses options that are none', async () => {
    const cache = createCache()
    for (const options of [{ concurrency: 0 }, { concurrency: 1.5 }, { budget: { calls: -1 } }]) {
      await expect(warm(cache, [], options)).rejects.toMatchObject({ code: 'invalid_option' })
    }
    const budget = { ms: 'soon' }
    await expect(warm(cache, [], { budget })).rejects.toMatchObject({ code: 'invalid_option' })
  })

  it('lets others come in between, however much is at hand', async () => {
    let turns = 0
    const count = () => {
      turns += 1
      immediate = setImmediate(count)
    }
    let immediate = setImmediate(count)
    await warm(createCache(), items(1_000))
    clearImmediate(immediate)
    expect(turns).toBeGreaterThan(5)
  })
})
