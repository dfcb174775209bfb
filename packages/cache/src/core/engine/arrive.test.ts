import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createCache } from '../create-cache.ts'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

/** A factory that never settles by itself, and what became of it. */
function hanging() {
  const state = { calls: 0, aborted: undefined as unknown }
  const factory = ({ signal }: { readonly signal: AbortSignal }) => {
    state.calls += 1
    signal.addEventListener('abort', () => {
      state.aborted = signal.reason
    })
    return new Promise<string>(() => {})
  }
  return { factory, state }
}

describe('the hard timeout', () => {
  it('ends a factory that never settles, for all who wait and for its key', async () => {
    const cache = createCache({ hardTimeout: '30s' })
    const { factory, state } = hanging()
    const all = Promise.allSettled([cache.getOrSet('a', factory), cache.getOrSet('a', factory)])
    await vi.advanceTimersByTimeAsync(30_000)
    for (const result of await all) {
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'timeout' } })
    }
    expect(state).toMatchObject({ calls: 1, aborted: { code: 'timeout', timeoutMs: 30_000 } })
    expect(await cache.getOrSet('a', () => 'next')).toBe('next')
    expect(vi.getTimerCount()).toBe(0)
  })

  it('doesn’t store what comes after it', async () => {
    const cache = createCache({ hardTimeout: 100 })
    const { promise, resolve } = Promise.withResolvers<string>()
    const late = cache.getOrSet('a', () => promise).catch((error: Error) => error.name)
    await vi.advanceTimersByTimeAsync(100)
    resolve('too late')
    expect(await late).toBe('CacheTimeoutError')
    expect(await cache.get('a')).toBeUndefined()
  })

  it('serves the stale value instead', async () => {
    const cache = createCache({
      ttl: 100,
      stale: '1h',
      jitter: 0,
      softTimeout: '1m',
      hardTimeout: '1s',
    })
    await cache.set('a', 'old')
    await vi.advanceTimersByTimeAsync(200)
    const value = cache.getOrSet('a', hanging().factory)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(await value).toBe('old')
  })

  it('sets no timer for a factory that answers at once', async () => {
    const cache = createCache()
    await cache.getOrSet('a', () => 1)
    await cache.getOrSet('b', async () => 1)
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('the soft timeout', () => {
  it('is how long a fresh value is waited for, with a stale one at hand', async () => {
    const cache = createCache({ ttl: 100, stale: '1h', jitter: 0, softTimeout: 50 })
    await cache.set('a', 'old')
    await vi.advanceTimersByTimeAsync(200)
    const { promise, resolve } = Promise.withResolvers<string>()
    const slow = cache.getOrSet('a', () => promise)
    await vi.advanceTimersByTimeAsync(50)
    expect(await slow).toBe('old')
    const fast = cache.getOrSet('a', () => 'never called')
    resolve('new')
    expect(await fast).toBe('new')
    expect(cache.peek('a')).toBe('new')
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('a caller that leaves', () => {
  it('rejects with its own reason, while the others get their value', async () => {
    const cache = createCache()
    const { promise, resolve } = Promise.withResolvers<string>()
    const leaver = new AbortController()
    const left = cache.getOrSet('a', () => promise, { signal: leaver.signal })
    const stays = cache.getOrSet('a', () => promise)
    const reason = new Error('the user left')
    leaver.abort(reason)
    await expect(left).rejects.toBe(reason)
    resolve('x')
    expect(await stays).toBe('x')
    expect(cache.peek('a')).toBe('x')
  })

  it('aborts the factory only as the last one', async () => {
    const cache = createCache()
    const { factory, state } = hanging()
    const callers = [new AbortController(), new AbortController()]
    const calls = callers.map(({ signal }) =>
      cache.getOrSet('a', factory, { signal }).catch((error: unknown) => error),
    )
    callers[0]?.abort()
    await calls[0]
    expect(state.aborted).toBeUndefined()
    callers[1]?.abort()
    await calls[1]
    expect(state.aborted).toMatchObject({ name: 'AbortError' })
    expect(vi.getTimerCount()).toBe(0)
    expect(await cache.getOrSet('a', () => 'next')).toBe('next')
  })

  it('doesn’t abort a factory that refreshes behind a stale value', async () => {
    const cache = createCache({ ttl: 100, stale: '1h', jitter: 0 })
    await cache.set('a', 'old')
    await vi.advanceTimersByTimeAsync(200)
    const { promise, resolve } = Promise.withResolvers<string>()
    expect(await cache.getOrSet('a', () => promise)).toBe('old')
    const leaver = new AbortController()
    const waits = cache.getOrSet('a', () => 'x', { signal: leaver.signal, softTimeout: '1m' })
    leaver.abort()
    await expect(waits).rejects.toMatchObject({ name: 'AbortError' })
    resolve('new')
    await vi.advanceTimersByTimeAsync(0)
    expect(cache.peek('a')).toBe('new')
  })

  it('is turned away at once when it has left already', async () => {
    const cache = createCache()
    await cache.set('a', 1)
    const reason = new Error('gone')
    const call = cache.getOrSet('a', () => 2, { signal: AbortSignal.abort(reason) })
    await expect(call).rejects.toBe(reason)
  })
})

describe('close', () => {
  it('lets those who wait have their value, and aborts what nobody waits for', async () => {
    const cache = createCache({ ttl: 100, stale: '1h', jitter: 0 })
    await cache.set('stale', 'old')
    await vi.advanceTimersByTimeAsync(200)
    const behind = hanging()
    await cache.getOrSet('stale', behind.factory)
    const { promise, resolve } = Promise.withResolvers<string>()
    const waits = cache.getOrSet('a', () => promise)
    await cache.close()
    await cache.close()
    expect(behind.state.aborted).toMatchObject({ name: 'AbortError' })
    resolve('x')
    expect(await waits).toBe('x')
  })

  it('makes everything a miss, and rejects nothing', async () => {
    const cache = createCache()
    await cache.set('a', 1)
    await cache.close()
    expect(cache.peek('a')).toBeUndefined()
    expect(await cache.get('a')).toBeUndefined()
    expect(await cache.getMany(['a'])).toEqual([undefined])
    expect(await cache.getOrSet('a', () => 2)).toBe(2)
    await cache.set('a', 3)
    expect(await cache.invalidate({ tag: 't' })).toBe(0)
    expect(await cache.delete('a')).toBe(false)
    expect(await cache.has('a')).toBe(false)
  })

  it('is what leaving a block does', async () => {
    let kept: ReturnType<typeof createCache> | undefined
    {
      await using cache = createCache()
      await cache.set('a', 1)
      kept = cache
    }
    expect(kept.peek('a')).toBeUndefined()
  })
})
