import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { CheckError, type CheckOutcome } from './check.ts'
import { createHealth, type HealthChange, type HealthOptions } from './health.ts'
import { summaryOf } from './report.ts'

const START = Date.parse('2026-01-01T00:00:00Z')

beforeEach(() => void vi.useFakeTimers({ now: START }))
afterEach(() => void vi.useRealTimers())

const wait = (ms: number) => vi.advanceTimersByTimeAsync(ms)

function setUp(options: HealthOptions = {}) {
  return createHealth({ now: () => Date.now(), random: () => 0.5, ...options })
}

/** A check that ends when it is told to, and counts. */
function controlled() {
  const state = { calls: 0, aborted: 0 }
  let ends: ((outcome: CheckOutcome) => void)[] = []
  return {
    state,
    end(outcome: CheckOutcome = {}) {
      for (const end of ends) end(outcome)
      ends = []
    },
    check: ({ signal }: { signal: AbortSignal }) => {
      state.calls += 1
      signal.addEventListener('abort', () => {
        state.aborted += 1
      })
      return new Promise<CheckOutcome>((resolve) => void ends.push(resolve))
    },
  }
}

describe('createHealth', () => {
  it('tells status, latency and time of each check', async () => {
    const health = setUp({ version: '1.2.3' })
    const slow = controlled()
    health.register('queue', slow.check, { tags: ['ours'] })
    const asked = health.report()
    await wait(12)
    slow.end({ details: { depth: 3 } })
    expect(await asked).toEqual({
      status: 'healthy',
      version: '1.2.3',
      timestamp: '2026-01-01T00:00:00.012Z',
      uptime_seconds: 0,
      components: {
        queue: {
          status: 'healthy',
          latency_ms: 12,
          checked_at: '2026-01-01T00:00:00.012Z',
          since: '2026-01-01T00:00:00.012Z',
          critical: true,
          tags: ['ours'],
          details: { depth: 3 },
        },
      },
    })
  })

  it('is healthy without checks, and tells everybody no more than a summary', async () => {
    const health = setUp()
    const report = await health.report()
    expect(report.status).toBe('healthy')
    expect(Object.keys(summaryOf(report))).toEqual(['status', 'timestamp', 'uptime_seconds'])
  })

  it('is unhealthy for a critical check and degraded for another', async () => {
    const health = setUp()
    health.register('extra', () => ({ status: 'unhealthy' }), { critical: false })
    expect((await health.report()).status).toBe('degraded')
    expect(await health.readiness()).toEqual({
      ...{ ready: true, status: 'ready', failing: [], degraded: ['extra'] },
    })
    health.register('worse', () => ({ status: 'degraded' }))
    expect((await health.report()).status).toBe('degraded')
    health.register('core', () => ({ status: 'unhealthy' }))
    expect((await health.report()).status).toBe('unhealthy')
    expect(await health.readiness()).toEqual({
      ...{ ready: false, status: 'not_ready', failing: ['core'], degraded: ['extra', 'worse'] },
    })
  })

  it('isn’t ready while draining, whatever the checks say, and asks none; liveness goes on', async () => {
    let draining = false
    const health = setUp({ isDraining: () => draining })
    const check = vi.fn()
    health.register('a', check)
    draining = true
    expect(await health.readiness()).toMatchObject({ ready: false, status: 'draining' })
    expect(check).not.toHaveBeenCalled()
    expect(health.liveness()).toEqual({ status: 'alive', uptime_seconds: 0 })
    expect((await health.report()).status).toBe('unhealthy')
  })

  it('isn’t ready when draining begins while checks are asked', async () => {
    let draining = false
    const health = setUp({ isDraining: () => draining })
    const slow = controlled()
    health.register('slow', slow.check)
    const asked = health.readiness()
    draining = true
    slow.end()
    expect(await asked).toMatchObject({ ready: false, status: 'draining' })
  })

  it('never looks at checks for liveness', () => {
    const health = setUp()
    const check = vi.fn()
    health.register('a', check)
    health.liveness()
    expect(check).not.toHaveBeenCalled()
  })

  it('calls a check once for all who ask, and again when its result is too old', async () => {
    const health = setUp()
    const slow = controlled()
    health.register('slow', slow.check, { ttl: '2s' })
    const asked = Array.from({ length: 50 }, () => health.run('slow'))
    slow.end()
    expect(new Set(await Promise.all(asked)).size).toBe(1)
    await wait(1_999)
    await health.report()
    expect(slow.state.calls).toBe(1)
    await wait(1)
    const again = health.run('slow')
    slow.end()
    await again
    expect(slow.state.calls).toBe(2)
  })

  it('looks anew when asked to, and joins what runs already', async () => {
    const health = setUp()
    const slow = controlled()
    health.register('slow', slow.check)
    const first = health.run('slow')
    const joined = health.run('slow', { fresh: true })
    slow.end()
    await Promise.all([first, joined])
    expect(slow.state.calls).toBe(1)
    const anew = health.report({ fresh: true })
    slow.end()
    await anew
    expect(slow.state.calls).toBe(2)
  })

  it('reports those with a tag', async () => {
    const health = setUp()
    health.register('a', () => {}, { tags: ['store', 'fast'] })
    health.register('b', () => {}, { tags: ['api'] })
    health.register('c', () => {})
    expect(Object.keys((await health.report({ tags: ['fast', 'api'] })).components)).toEqual([
      ...['a', 'b'],
    ])
    expect(Object.keys((await health.report({ tags: [] })).components)).toEqual([])
  })

  it('aborts and gives up what takes too long, and doesn’t begin it again before it ends', async () => {
    const health = setUp()
    const deaf = controlled()
    health.register('deaf', deaf.check, { timeout: '1s', ttl: 0 })
    const asked = health.run('deaf')
    await wait(1_001)
    expect((await asked).error).toEqual({
      ...{ code: 'timeout', message: 'There was no answer within 1000 ms.' },
    })
    expect(deaf.state).toEqual({ calls: 1, aborted: 1 })
    await wait(500)
    const still = await health.run('deaf')
    expect(still).toMatchObject({ status: 'unhealthy', error: { code: 'still_running' } })
    expect(deaf.state.calls).toBe(1)
    deaf.end()
    await wait(0)
    const anew = health.run('deaf')
    deaf.end()
    expect((await anew).status).toBe('healthy')
    expect(deaf.state.calls).toBe(2)
  })

  it('lets a check that honours its signal say more, but not that all is well', async () => {
    const health = setUp()
    const until = (signal: AbortSignal) =>
      new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
    health.register('says', async ({ signal }) => {
      await until(signal)
      throw new CheckError('busy', 'All are busy.', { details: { total: 5 } })
    })
    health.register('claims', async ({ signal }) => {
      await until(signal)
      return { status: 'healthy', details: { seen: 1 } }
    })
    const asked = health.report()
    await wait(5_000)
    const { says, claims } = (await asked).components
    expect(says).toMatchObject({ error: { code: 'busy' }, details: { total: 5 } })
    expect(claims).toMatchObject({ error: { code: 'timeout' }, details: { seen: 1 } })
    expect(claims?.status).toBe('unhealthy')
  })

  it('counts anything thrown as unhealthy and shows its code alone', async () => {
    const onError = vi.fn()
    const health = setUp({ onError })
    const secret = 'postgres://ada:hunter2@db/shop'
    const fault = new Error(`no connection to ${secret}`, {
      cause: Object.assign(new Error(secret), { code: 'ECONNREFUSED' }),
    })
    health.register('async', () => Promise.reject<undefined>(fault))
    health.register('sync', () => {
      throw secret
    })
    const report = await health.report()
    expect(report.components.async?.error).toEqual({
      ...{ code: 'ECONNREFUSED', message: 'The connection was refused: nobody listens there.' },
    })
    expect(report.components.sync?.error?.code).toBe('failed')
    expect(JSON.stringify(report)).not.toContain('hunter2')
    expect(onError.mock.calls.toSorted()).toEqual([
      ['async', fault],
      ['sync', secret],
    ])
  })

  it('takes nonsense for a failure', async () => {
    const health = setUp()
    const nonsense: unknown[] = ['yes', null, { status: 'fine' }, { error: 'text' }, { error: {} }]
    for (const [at, value] of nonsense.entries()) {
      health.register(`n${at}`, () => value as CheckOutcome)
    }
    const { components } = await health.report()
    const codes = Object.values(components).map(({ error }) => error?.code)
    expect(codes).toEqual(nonsense.map(() => 'invalid_outcome'))
  })

  it('shows of an error its code and message, and nothing that hangs on it', async () => {
    const health = setUp()
    const error = { code: 'x', message: 'y', password: 'z' }
    health.register('a', () => ({ error }))
    expect((await health.run('a')).error).toEqual({ code: 'x', message: 'y' })
    expect((await health.run('a')).status).toBe('unhealthy')
  })

  it('calls what is healthy and slow degraded', async () => {
    const health = setUp()
    const slow = controlled()
    health.register('slow', slow.check, { slow: '200ms' })
    const asked = health.run('slow')
    await wait(250)
    slow.end()
    expect(await asked).toMatchObject({ status: 'degraded', error: { code: 'slow' } })
  })

  it('damps a status, shows what was seen, and since when it holds', async () => {
    const health = setUp()
    let status: 'healthy' | 'unhealthy' = 'healthy'
    const damping = { failures: 2, successes: 1 }
    health.register('a', () => ({ status }), { ttl: 0, damping })
    const first = await health.run('a')
    status = 'unhealthy'
    await wait(1_000)
    expect(await health.run('a')).toMatchObject({ status: 'healthy', observed: 'unhealthy' })
    await wait(1_000)
    const red = await health.run('a')
    expect(red).toMatchObject({ status: 'unhealthy', since: red.checked_at })
    expect(red).not.toHaveProperty('observed')
    await wait(1_000)
    expect((await health.run('a')).since).toBe(red.checked_at)
    status = 'healthy'
    expect((await health.run('a')).since).not.toBe(first.since)
  })

  it('tells each change once, the first result among them, and survives who is told', async () => {
    const changes: HealthChange[] = []
    const health = setUp({
      onChange(change) {
        changes.push(change)
        throw new Error('observer')
      },
    })
    let status: 'healthy' | 'unhealthy' = 'healthy'
    health.register('a', () => ({ status }), { ttl: 0 })
    await health.run('a')
    await health.run('a')
    status = 'unhealthy'
    await health.run('a')
    const seen = changes.map(({ name, from, to }) => [name, from, to])
    expect(seen).toEqual([
      ['a', undefined, 'healthy'],
      ['a', 'healthy', 'unhealthy'],
    ])
    expect(changes[1]?.result).toBe(health.last('a'))
  })

  it('looks in the background, at first at once, give or take a tenth', async () => {
    let dice = 0.5
    const health = setUp({ random: () => dice })
    const check = vi.fn()
    health.register('a', check, { interval: '10s' })
    expect(health.last('a')).toBeUndefined()
    await wait(0)
    expect(health.last('a')?.status).toBe('healthy')
    dice = 0
    await wait(10_000)
    expect(check).toHaveBeenCalledTimes(2)
    await wait(9_000)
    expect(check).toHaveBeenCalledTimes(3)
    await health.report()
    expect(check).toHaveBeenCalledTimes(3)
  })

  it('looks itself when the background has been silent for three intervals', async () => {
    const health = setUp()
    const slow = controlled()
    health.register('a', slow.check, { interval: '1s', timeout: '1m' })
    await wait(0)
    slow.end()
    await wait(1_000)
    const { checked_at } = await health.run('a')
    await wait(2_500)
    const asked = health.run('a')
    slow.end()
    expect((await asked).checked_at).not.toBe(checked_at)
  })

  it('ends with close: nothing runs in the background, and what runs is given up', async () => {
    const health = setUp()
    const slow = controlled()
    const check = vi.fn()
    health.register('slow', slow.check)
    health.register('often', check, { interval: '1s' })
    await wait(0)
    const asked = health.run('slow')
    health.close()
    await wait(0)
    expect((await asked).error?.code).toBe('closed')
    await wait(60_000)
    expect(check).toHaveBeenCalledTimes(1)
    expect(vi.getTimerCount()).toBe(0)
    expect(() => health.register('late', check)).toThrow(/closed/)
  })

  it('takes a check away again', async () => {
    const health = setUp()
    const remove = health.register('a', () => {}, { interval: '1s' })
    remove()
    expect(health.names).toEqual([])
    expect(vi.getTimerCount()).toBe(0)
    await expect(health.run('a')).rejects.toMatchObject({ code: 'unknown_check' })
    health.register('a', () => {})
    remove()
    expect(health.names).toEqual(['a'])
  })

  it('refuses what can’t be meant', () => {
    const health = setUp()
    health.register('a', () => {})
    const cases: [() => unknown, string][] = [
      [() => health.register('a', () => {}), 'duplicate'],
      [() => health.register('', () => {}), 'invalid_option'],
      [() => health.register('a b', () => {}), 'invalid_option'],
      [() => health.register('b', undefined as never), 'invalid_option'],
      [() => health.register('b', () => {}, { timeout: 0 }), 'invalid_option'],
      [() => health.register('b', () => {}, { ttl: '5 minutes' }), 'invalid_option'],
      [() => health.register('b', () => {}, { tll: 1 } as never), 'invalid_option'],
      [() => health.register('b', () => {}, { tags: 'x' } as never), 'invalid_option'],
      [() => health.register('b', () => {}, { damping: { failures: 0 } }), 'invalid_option'],
      [() => createHealth({ verison: '1' } as never), 'invalid_option'],
    ]
    for (const [call, code] of cases) expect(call).toThrow(expect.objectContaining({ code }))
    expect(health.names).toEqual(['a'])
  })
})
