import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { compose } from '../compose.ts'
import {
  AbortedError,
  BulkheadFullError,
  CircuitOpenError,
  RateLimitedError,
  TimeoutError,
} from '../errors.ts'
import { createTimeout } from '../timeout.ts'
import type { CircuitBreaker, CircuitBreakerOptions, CircuitEvent } from './circuit-breaker.ts'
import { createCircuitBreaker } from './circuit-breaker.ts'

let clock = 0
let events: CircuitEvent[] = []

beforeEach(() => {
  clock = 0
  events = []
})

function breakerWith(options: CircuitBreakerOptions = {}): CircuitBreaker {
  return createCircuitBreaker({
    openForMs: 1000,
    now: () => clock,
    onStateChange: (event) => events.push(event),
    ...options,
  })
}

function enter(breaker: CircuitBreaker) {
  const permit = breaker.tryEnter()
  if (permit === undefined) throw new Error('The breaker refused.')
  return permit
}

function failTimes(breaker: CircuitBreaker, times: number): void {
  for (let i = 0; i < times; i++) enter(breaker).fail()
}

describe('createCircuitBreaker, closed', () => {
  it('opens after five failures in a row unless told otherwise', () => {
    const breaker = breakerWith()
    failTimes(breaker, 4)
    expect(breaker.state).toBe('closed')
    failTimes(breaker, 1)
    expect(breaker.state).toBe('open')
    expect(events).toEqual([{ from: 'closed', to: 'open', reason: 'consecutive_failures' }])
  })

  it('begins to count anew after a success', () => {
    const breaker = breakerWith({ trip: { kind: 'consecutive', failures: 2 } })
    failTimes(breaker, 1)
    enter(breaker).succeed()
    failTimes(breaker, 1)
    expect(breaker.state).toBe('closed')
  })

  it('counts no call that was released', () => {
    const breaker = breakerWith({ trip: { kind: 'consecutive', failures: 2 } })
    failTimes(breaker, 1)
    enter(breaker).release()
    expect(breaker.snapshot().failures).toBe(1)
    failTimes(breaker, 1)
    expect(breaker.state).toBe('open')
  })

  it('takes the first verdict of a permit and no other', () => {
    const breaker = breakerWith({ trip: { kind: 'consecutive', failures: 2 } })
    const permit = enter(breaker)
    permit.succeed()
    permit.fail()
    permit.fail()
    expect(breaker.snapshot()).toEqual({
      state: 'closed',
      retryAfterMs: 0,
      calls: 0,
      failures: 0,
      slow: 0,
    })
  })

  it('opens at a share of the last calls, not before it has seen enough of them', () => {
    const breaker = breakerWith({ trip: { kind: 'count', size: 10, failureRate: 0.5, minimum: 4 } })
    failTimes(breaker, 3)
    expect(breaker.state).toBe('closed')
    enter(breaker).succeed()
    expect(breaker.state).toBe('open')
    expect(events[0]?.reason).toBe('failure_rate')
  })

  it('forgets what is further back than the window of calls', () => {
    const breaker = breakerWith({ trip: { kind: 'count', size: 4, failureRate: 0.75 } })
    failTimes(breaker, 2)
    for (let i = 0; i < 4; i++) enter(breaker).succeed()
    failTimes(breaker, 2)
    expect(breaker.snapshot()).toMatchObject({ state: 'closed', calls: 4, failures: 2 })
    failTimes(breaker, 1)
    expect(breaker.state).toBe('open')
  })

  it('reaches a rate exactly, whatever its fraction is in binary', () => {
    const trip = { kind: 'count', size: 100, failureRate: 0.07 } as const
    const breaker = breakerWith({ trip })
    for (let i = 0; i < 93; i++) enter(breaker).succeed()
    failTimes(breaker, 7)
    expect(breaker.state).toBe('open')
  })

  it('opens when too many calls are slow, measured until their verdict', () => {
    const breaker = breakerWith({
      trip: { kind: 'count', size: 4, failureRate: 1, slowRate: 0.5, slowMs: 100 },
    })
    for (const ms of [100, 101, 0, 500]) {
      const permit = enter(breaker)
      clock += ms
      permit.succeed()
    }
    expect(events).toEqual([{ from: 'closed', to: 'open', reason: 'slow_rate' }])
  })
})

describe('createCircuitBreaker, by time', () => {
  const trip = { kind: 'time', windowMs: 10_000, failureRate: 0.5, minimum: 10 } as const

  it('counts no failure after an hour in which nothing happened', () => {
    const breaker = breakerWith({ trip })
    failTimes(breaker, 8)
    clock += 3_600_000
    expect(breaker.snapshot()).toMatchObject({ calls: 0, failures: 0 })
    failTimes(breaker, 9)
    expect(breaker.state).toBe('closed')
    failTimes(breaker, 1)
    expect(breaker.state).toBe('open')
  })

  it('forgets a failure when the window has passed, not much sooner', () => {
    const breaker = breakerWith({ trip })
    failTimes(breaker, 8)
    clock += 9_499
    expect(breaker.snapshot().failures).toBe(8)
    clock += 501
    expect(breaker.snapshot().failures).toBe(0)
  })

  it('starts with an empty window after it has closed again', () => {
    const breaker = breakerWith({ trip })
    failTimes(breaker, 10)
    clock += 1000
    enter(breaker).succeed()
    expect(breaker.snapshot()).toMatchObject({ state: 'closed', calls: 0, failures: 0 })
  })
})

describe('createCircuitBreaker, open', () => {
  it('refuses and says for how long', () => {
    const breaker = breakerWith()
    failTimes(breaker, 5)
    clock += 400.5
    expect(breaker.tryEnter()).toBeUndefined()
    expect(breaker.canEnter).toBe(false)
    expect(breaker.retryAfterMs).toBe(600)
  })

  it('shows itself half-open when its time is over, and is it once somebody asks', () => {
    const breaker = breakerWith()
    failTimes(breaker, 5)
    clock += 1000
    expect(breaker.state).toBe('half-open')
    expect(breaker.canEnter).toBe(true)
    expect(breaker.retryAfterMs).toBe(0)
    expect(events).toHaveLength(1)
    enter(breaker)
    expect(events[1]).toEqual({ from: 'open', to: 'half-open', reason: 'open_time_over' })
  })

  it('ignores calls that were let through before', () => {
    const breaker = breakerWith()
    const straggler = enter(breaker)
    failTimes(breaker, 5)
    clock += 400
    straggler.fail()
    expect(breaker.retryAfterMs).toBe(600)
  })
})

describe('createCircuitBreaker, half-open', () => {
  function halfOpen(options: CircuitBreakerOptions = {}): CircuitBreaker {
    const breaker = breakerWith(options)
    breaker.open()
    clock += 1000
    return breaker
  }

  it('closes when the probe does well', () => {
    const breaker = halfOpen()
    enter(breaker).succeed()
    expect(breaker.state).toBe('closed')
    expect(events.at(-1)).toEqual({ from: 'half-open', to: 'closed', reason: 'probes_succeeded' })
  })

  it('opens for the whole time again when the probe fails', () => {
    const breaker = halfOpen()
    const probe = enter(breaker)
    clock += 100
    probe.fail()
    expect(breaker.retryAfterMs).toBe(1000)
    expect(events.at(-1)).toEqual({ from: 'half-open', to: 'open', reason: 'probe_failed' })
  })

  it('opens again when the probe does well but is slow, if slow calls matter', () => {
    const trip = { kind: 'count', size: 4, failureRate: 1, slowRate: 0.5, slowMs: 100 } as const
    const breaker = halfOpen({ trip })
    const probe = enter(breaker)
    clock += 101
    probe.succeed()
    expect(events.at(-1)).toEqual({ from: 'half-open', to: 'open', reason: 'probe_slow' })
  })

  it('refuses all but the probes at once instead of letting them wait', () => {
    const breaker = halfOpen({ halfOpen: { probes: 2 } })
    const first = enter(breaker)
    const second = enter(breaker)
    expect(breaker.tryEnter()).toBeUndefined()
    expect(breaker.canEnter).toBe(false)
    first.succeed()
    expect(breaker.tryEnter()).toBeUndefined()
    second.succeed()
    expect(breaker.state).toBe('closed')
  })

  it('gives the place of a released probe to another call', () => {
    const breaker = halfOpen()
    enter(breaker).release()
    expect(breaker.canEnter).toBe(true)
    enter(breaker).succeed()
    expect(breaker.state).toBe('closed')
  })

  it('is not opened again by a straggler that was let through while closed', () => {
    const breaker = breakerWith()
    const straggler = enter(breaker)
    failTimes(breaker, 5)
    clock += 1000
    const probe = enter(breaker)
    straggler.fail()
    expect(breaker.state).toBe('half-open')
    probe.succeed()
    expect(breaker.state).toBe('closed')
  })

  it('takes no straggler for a good probe either', () => {
    const breaker = breakerWith()
    const straggler = enter(breaker)
    failTimes(breaker, 5)
    clock += 1000
    enter(breaker)
    straggler.succeed()
    expect(breaker.state).toBe('half-open')
  })

  it('is not held up for ever by a probe that never ends', () => {
    const breaker = halfOpen()
    enter(breaker)
    clock += 999
    expect(breaker.tryEnter()).toBeUndefined()
    clock += 1
    enter(breaker).succeed()
    expect(breaker.state).toBe('closed')
  })

  it('asks to come back soon, as a verdict does', () => {
    const breaker = halfOpen({ openForMs: 30_000 })
    clock += 30_000
    enter(breaker)
    expect(breaker.retryAfterMs).toBe(1000)
    clock += 29_900
    expect(breaker.retryAfterMs).toBe(100)
  })
})

describe('createCircuitBreaker, by hand', () => {
  it('opens for as long as it is told', () => {
    const breaker = breakerWith()
    breaker.open(Number.POSITIVE_INFINITY)
    clock += 1e12
    expect(breaker.state).toBe('open')
    breaker.close()
    expect(breaker.state).toBe('closed')
    expect(events.map((event) => event.reason)).toEqual(['manual', 'manual'])
  })

  it('forgets the failures when it is closed', () => {
    const breaker = breakerWith()
    failTimes(breaker, 4)
    breaker.close()
    failTimes(breaker, 4)
    expect(breaker.state).toBe('closed')
    expect(events).toEqual([])
  })
})

describe('createCircuitBreaker, execute', () => {
  afterEach(() => vi.useRealTimers())

  const failing = (error: unknown) => () => Promise.reject(error)

  it('returns what the work returns', async () => {
    await expect(breakerWith().execute(() => 7)).resolves.toBe(7)
  })

  it('counts what is thrown, at once or later, and throws it on as it is', async () => {
    const breaker = breakerWith({ trip: { kind: 'consecutive', failures: 2 } })
    const error = new Error('down')
    await expect(breaker.execute(failing(error))).rejects.toBe(error)
    const throwing = () => {
      throw error
    }
    await expect(breaker.execute(throwing)).rejects.toBe(error)
    expect(breaker.state).toBe('open')
  })

  it('refuses with how long it stays open, without calling', async () => {
    const breaker = breakerWith()
    breaker.open()
    const work = vi.fn()
    await expect(breaker.execute(work)).rejects.toMatchObject({
      code: 'circuit_open',
      retryAfterMs: 1000,
      timeline: [{ kind: 'rejected', reason: 'circuit_open', breaker: 'open' }],
    })
    expect(work).not.toHaveBeenCalled()
  })

  it('refuses the others at once while a probe is under way', async () => {
    const breaker = breakerWith()
    breaker.open()
    clock += 1000
    const probe = Promise.withResolvers<string>()
    const probing = breaker.execute(() => probe.promise)
    const work = vi.fn()
    await expect(breaker.execute(work)).rejects.toMatchObject({ code: 'circuit_open' })
    expect(work).not.toHaveBeenCalled()
    probe.resolve('up')
    await expect(probing).resolves.toBe('up')
    expect(breaker.state).toBe('closed')
  })

  it.each([
    new AbortedError('gone'),
    new BulkheadFullError('full'),
    new CircuitOpenError(5),
    new RateLimitedError(),
    new TimeoutError('queue', 5),
  ])('counts no $code, whatever isFailure would say', async (error) => {
    const breaker = breakerWith({
      trip: { kind: 'consecutive', failures: 1 },
      isFailure: () => true,
    })
    await expect(breaker.execute(failing(error))).rejects.toBe(error)
    expect(breaker.state).toBe('closed')
  })

  it('counts no error of a call that its caller has aborted', async () => {
    const breaker = breakerWith({ trip: { kind: 'consecutive', failures: 1 } })
    const controller = new AbortController()
    const call = breaker.execute(
      () => {
        controller.abort()
        throw new Error('socket closed')
      },
      { signal: controller.signal },
    )
    await expect(call).rejects.toBeDefined()
    expect(breaker.state).toBe('closed')
  })

  it('counts a try that an outer policy gave up after its time, not a call as a whole', async () => {
    const breaker = breakerWith({ trip: { kind: 'consecutive', failures: 1 } })
    vi.useFakeTimers()
    const give = async (limit: 'attempt' | 'total') => {
      const guarded = compose(createTimeout({ ms: 50, limit }), breaker)
      const call = guarded.execute(({ signal }) => {
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal)))
      })
      const ended = expect(call).rejects.toMatchObject({ code: 'timeout' })
      await vi.advanceTimersByTimeAsync(50)
      await ended
    }
    await give('total')
    expect(breaker.state).toBe('closed')
    await give('attempt')
    expect(breaker.state).toBe('open')
  })

  it('counts no good answer that came after the abort', async () => {
    const breaker = breakerWith({ trip: { kind: 'consecutive', failures: 2 } })
    failTimes(breaker, 1)
    const controller = new AbortController()
    const late = Promise.withResolvers<void>()
    const call = breaker.execute(() => late.promise, { signal: controller.signal })
    controller.abort()
    await expect(call).rejects.toMatchObject({ code: 'aborted' })
    late.resolve()
    await late.promise
    expect(breaker.snapshot().failures).toBe(1)
  })

  it('counts a time limit that ran out inside', async () => {
    const breaker = breakerWith({ trip: { kind: 'consecutive', failures: 1 } })
    await breaker.execute(failing(new TimeoutError('attempt', 5))).catch(() => undefined)
    expect(breaker.state).toBe('open')
  })

  it('closes on an error that is no failure, as the callee has answered', async () => {
    const breaker = breakerWith({ isFailure: () => false })
    breaker.open()
    clock += 1000
    await breaker.execute(failing(new Error('404'))).catch(() => undefined)
    expect(breaker.state).toBe('closed')
  })
})

describe('createCircuitBreaker, options', () => {
  afterEach(() => vi.useRealTimers())

  it.each<[string, CircuitBreakerOptions]>([
    ['trip.failures', { trip: { kind: 'consecutive', failures: 0 } }],
    ['trip.size', { trip: { kind: 'count', size: 1.5, failureRate: 0.5 } }],
    ['trip.minimum', { trip: { kind: 'count', size: 5, failureRate: 0.5, minimum: 6 } }],
    ['trip.failureRate', { trip: { kind: 'time', windowMs: 1000, failureRate: 50 } }],
    ['trip.windowMs', { trip: { kind: 'time', windowMs: Number.NaN, failureRate: 0.5 } }],
    ['trip.slowMs', { trip: { kind: 'time', windowMs: 1000, failureRate: 0.5, slowRate: 0.5 } }],
    ['openForMs', { openForMs: -1 }],
    ['halfOpen.probes', { halfOpen: { probes: 0 } }],
  ])('refuses a senseless %s when it is made', (name, options) => {
    expect(() => createCircuitBreaker(options)).toThrow(RangeError)
    expect(() => createCircuitBreaker(options)).toThrow(name)
  })

  it('goes by a clock that setting the system time does not move', () => {
    vi.useFakeTimers()
    const breaker = createCircuitBreaker({ openForMs: 1000 })
    breaker.open()
    vi.setSystemTime(Date.now() + 3_600_000)
    expect(breaker.state).toBe('open')
    vi.advanceTimersByTime(1000)
    expect(breaker.state).toBe('half-open')
  })
})
