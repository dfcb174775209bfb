import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type DiscoveredEndpoint, type EndpointWatch, watchEndpoints } from './discovery.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
let watch: EndpointWatch | undefined
afterEach(() => {
  watch?.close()
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

const at = (...urls: string[]): DiscoveredEndpoint[] => urls.map((url) => ({ url }))
const urlsOf = (endpoints: readonly DiscoveredEndpoint[]) => endpoints.map(({ url }) => url)

describe('watchEndpoints', () => {
  it('asks at once and again after the time, and tells only lists that differ', async () => {
    const answers = [
      at('http://a', 'http://b'),
      at('http://b', 'http://a', 'http://a/'),
      at('http://c'),
    ]
    const told: string[][] = []
    watch = watchEndpoints(async () => answers.shift() ?? [], {
      refreshMs: 1000,
      random: () => 0.5,
      onChange: (endpoints) => told.push(urlsOf(endpoints)),
    })
    expect(watch.endpoints).toEqual([])
    await watch.refresh()
    expect(watch.endpoints).toEqual([
      { url: 'http://a/', weight: 1, priority: 0 },
      { url: 'http://b/', weight: 1, priority: 0 },
    ])
    await vi.advanceTimersByTimeAsync(1000)
    expect(told).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(1000)
    expect(told).toEqual([['http://a/', 'http://b/'], ['http://c/']])
  })

  it('spreads the askings of many clients over a fifth of the time', async () => {
    const asked = vi.fn(async () => at('http://a'))
    watch = watchEndpoints(asked, { refreshMs: 1000, random: () => 0 })
    await watch.refresh()
    await vi.advanceTimersByTimeAsync(899)
    expect(asked).toHaveBeenCalledTimes(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(asked).toHaveBeenCalledTimes(2)
  })

  it.each<[string, () => Promise<DiscoveredEndpoint[]>]>([
    ['fails', () => Promise.reject(new Error('down'))],
    [
      'throws at once',
      () => {
        throw new Error('down')
      },
    ],
    ['finds none', async () => []],
    ['finds what is no URL', async () => at('nonsense')],
    ['finds another protocol', async () => at('ftp://a')],
    ['finds credentials', async () => at('http://user:secret@a')],
    ['finds a weight of 0', async () => [{ url: 'http://b', weight: 0 }]],
    ['finds a weight that is no number', async () => [{ url: 'http://b', weight: Number.NaN }]],
    ['takes too long', () => new Promise(() => undefined)],
  ])('keeps the last good list when the discovery %s', async (_, second) => {
    const discovery = vi.fn().mockResolvedValueOnce(at('http://a')).mockImplementation(second)
    const onError = vi.fn()
    watch = watchEndpoints(discovery, { timeoutMs: 50, onError })
    await watch.refresh()
    const done = watch.refresh()
    await vi.advanceTimersByTimeAsync(50)
    await done
    expect(urlsOf(watch.endpoints)).toEqual(['http://a/'])
    expect(onError).toHaveBeenCalledOnce()
  })

  it('asks sooner after a failure, less and less soon, and never less often than usual', async () => {
    const discovery = vi.fn().mockRejectedValue(new Error('down'))
    watch = watchEndpoints(discovery, { refreshMs: 3000, random: () => 0.5 })
    await watch.refresh()
    for (const [delay, times] of [
      [500, 2],
      [1000, 3],
      [2000, 4],
      [3000, 5],
      [3000, 6],
    ] as const) {
      await vi.advanceTimersByTimeAsync(delay - 1)
      expect(discovery).toHaveBeenCalledTimes(times - 1)
      await vi.advanceTimersByTimeAsync(1)
      expect(discovery).toHaveBeenCalledTimes(times)
    }
  })

  it('lets all who ask for a refresh share one asking', async () => {
    const discovery = vi.fn(async () => at('http://a'))
    watch = watchEndpoints(discovery)
    await Promise.all([watch.refresh(), watch.refresh()])
    expect(discovery).toHaveBeenCalledOnce()
  })

  it('aborts what takes too long', async () => {
    let given: AbortSignal | undefined
    watch = watchEndpoints(
      (signal) => {
        given = signal
        return new Promise(() => undefined)
      },
      { timeoutMs: 50 },
    )
    await vi.advanceTimersByTimeAsync(50)
    expect(given?.reason).toMatchObject({ message: expect.stringContaining('50 ms') })
  })

  it('tells nothing after it was closed', async () => {
    const told = vi.fn()
    const answer = Promise.withResolvers<DiscoveredEndpoint[]>()
    let given: AbortSignal | undefined
    watch = watchEndpoints(
      (signal) => {
        given = signal
        return answer.promise
      },
      { onChange: told, onError: told },
    )
    const done = watch.refresh()
    watch.close()
    answer.resolve(at('http://a'))
    await done
    await watch.refresh()
    expect([told.mock.calls.length, given?.aborted, watch.endpoints]).toEqual([0, true, []])
  })

  it('lives on when an observer throws', async () => {
    const fails = () => {
      throw new Error('observer')
    }
    const discovery = vi.fn().mockResolvedValueOnce(at('http://a')).mockRejectedValue('down')
    watch = watchEndpoints(discovery, { onChange: fails, onError: fails })
    await watch.refresh()
    await watch.refresh()
    expect(urlsOf(watch.endpoints)).toEqual(['http://a/'])
  })

  it('orders by priority and takes no more than 256', async () => {
    const many = Array.from({ length: 400 }, (_, index) => ({
      url: `http://host-${index}`,
      priority: index < 200 ? 20 : 10,
    }))
    watch = watchEndpoints(async () => many)
    await watch.refresh()
    expect(watch.endpoints).toHaveLength(256)
    expect(watch.endpoints.filter(({ priority }) => priority === 10)).toHaveLength(200)
  })
})
