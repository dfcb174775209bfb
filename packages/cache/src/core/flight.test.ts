import { describe, expect, it } from 'vitest'
import { createCache } from './create-cache.ts'

/** As a library of promises of its own might make one. */
function thenable<Of extends object>(of: Of, then: () => void): Promise<never> & Of {
  return Object.assign(of, Object.fromEntries([['then', then]])) as Promise<never> & Of
}

describe('a factory that is called', () => {
  it('may ask for its own key, and both have the one value', async () => {
    const cache = createCache()
    let inner: Promise<unknown> | undefined
    const outer = cache.getOrSet('a', async () => {
      inner ??= cache.getOrSet('a', () => 'second')
      return 'first'
    })
    expect(await outer).toBe('first')
    expect(await inner).toBe('first')
    expect(cache.stats().factories).toBe(1)
  })

  it('may abort its caller, who hears of it at once, while nobody waits for the value', async () => {
    const cache = createCache()
    const controller = new AbortController()
    let signal: AbortSignal | undefined
    const asked = cache.getOrSet(
      'a',
      (context) => {
        signal = context.signal
        controller.abort(new Error('left'))
        return new Promise(() => {})
      },
      { signal: controller.signal },
    )
    await expect(asked).rejects.toThrow('left')
    expect(signal?.aborted).toBe(true)
    expect(await cache.getOrSet('a', () => 'next')).toBe('next')
  })

  it('may return what has a `then` that throws: the error passes, and no timer stays', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((one) => one === 'Timeout').length
    const before = timers()
    for (const of of [{}, () => undefined]) {
      const made = thenable(of, () => {
        throw new Error('no then')
      })
      await expect(createCache().getOrSet('a', () => made)).rejects.toThrow('no then')
    }
    expect(timers()).toBe(before)
  })

  it('is waited for no longer than the hard timeout, whatever kind of promise it returns', async () => {
    const cache = createCache({ hardTimeout: 1 })
    for (const of of [{}, () => undefined]) {
      const never = thenable(of, () => undefined)
      await expect(cache.getOrSet('a', () => never)).rejects.toMatchObject({ code: 'timeout' })
    }
    expect(await cache.getOrSet('a', () => 'next')).toBe('next')
  })
})
