import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { connection, STALE_MS } from './connection.ts'
import { readFigures } from './figures.ts'
import { readComponents, readUpstreams, worstBreaker } from './health.ts'
import { readAnomalies, readFailures } from './incidents.ts'
import { type Event, initialState, type Round, reduce, type State, windows } from './state.ts'
import { targets } from './targets.ts'
import { verdict } from './verdict.ts'

const NOW = 1_000_000

/** A page after some events, all at `NOW`. */
function after(...events: readonly Event[]): State {
  return events.reduce((state, event) => reduce(state, event, NOW), initialState(NOW))
}

function round(over: Partial<Round> = {}): Event {
  return { type: 'round', round: { draining: false, components: [], upstreams: [], ...over } }
}

/** Samples of the last seconds, all alike. */
function seconds(count: number, values: Readonly<Record<string, number | null>>): Event {
  const samples = Array.from({ length: count }, (_, index) => ({
    t: NOW - (count - 1 - index) * 1_000,
    values,
  }))
  return { type: 'samples', samples, streaming: true }
}

const components = (body: unknown) => round({ components: readComponents(body, []) })
const kinds = (state: State) => verdict(state).findings.map(({ key, level }) => `${level} ${key}`)

describe('verdict', () => {
  it('knows nothing before it has heard anything', () => {
    expect(verdict(after())).toMatchObject({ level: 'unknown', title: 'Looking' })
  })

  it('finds nothing wrong where nothing is', () => {
    expect(verdict(after(round()))).toEqual({ level: 'good', title: 'Healthy', findings: [] })
  })

  it('tells an upstream that fails, why, and since its last answer', () => {
    const endpoint = {
      ...{ status: 'degraded', endpoint: 'a.example', breaker: 'open', probe_in_ms: 11_400 },
      ...{ last_answer_at: '1970-01-01T00:10:00.000Z', last_failure: 'first_byte_timeout' },
    }
    const upstreams = readUpstreams({
      upstreams: { a: { status: 'unhealthy', endpoints: [endpoint] } },
    })
    const { level, findings } = verdict(after(round({ upstreams })))
    expect(level).toBe('critical')
    expect(findings).toEqual([
      {
        key: 'upstream a',
        level: 'critical',
        what: 'Upstream a fails',
        why: 'a.example: breaker open, tried again in 11 s, last failure: first byte timeout',
        sinceAt: 600_000,
      },
    ])
  })

  it('is not alarmed by an upstream whose requests others have taken over', () => {
    const upstreams = readUpstreams({ upstreams: { a: { status: 'unhealthy', endpoints: [] } } })
    const state = (errors: number, requests = 10) =>
      after(seconds(10, { 'requests.rate': requests, 'errors.rate': errors }), round({ upstreams }))
    expect(kinds(state(0))).toContain('warning upstream a')
    expect(kinds(state(2))).toContain('critical upstream a')
    expect(kinds(state(0, 0))).toContain('critical upstream a')
  })

  it('is alarmed by a component only where the gateway can’t do without it', () => {
    const down = { status: 'unhealthy', error: { code: 'refused', message: 'Connection refused' } }
    expect(kinds(after(components({ redis: down })))).toEqual(['warning component redis'])
    const critical = after(components({ redis: { ...down, critical: true } }))
    expect(kinds(critical)).toEqual(['critical component redis'])
    expect(verdict(critical).findings[0]?.why).toBe('Connection refused')
  })

  it('remembers since when it has seen what the gateway gives no time for', () => {
    const event = components({ limits: { status: 'degraded' } })
    const later = reduce(after(event), event, NOW + 60_000)
    expect(verdict(later).findings[0]).toMatchObject({ sinceAt: NOW, earlier: true })
    const told = after(components({ limits: { status: 'degraded', since: 5 } }))
    expect(verdict(told).findings[0]).toMatchObject({ sinceAt: 5, earlier: false })
  })

  it('puts the gravest first', () => {
    const state = after(
      seconds(60, { 'requests.rate': 10, 'limits.violation_ratio': 0.2 }),
      components({ a: { status: 'degraded' }, b: { status: 'unhealthy', critical: true } }),
    )
    expect(kinds(state)).toEqual([
      'critical component b',
      'warning component a',
      'note target violations',
    ])
  })

  it('stays healthy when only clients miss a target', () => {
    const busy = seconds(60, { 'requests.rate': 10, 'limits.violation_ratio': 0.2 })
    expect(verdict(after(busy, round()))).toMatchObject({ level: 'note', title: 'Healthy' })
  })

  it('tells anomalies, and a process that is short of something', () => {
    const anomalies = readAnomalies({
      active: [{ metric: 'latency.p95', since: 5, value: 900, expected: 300 }],
    })
    const figures = readFigures({
      system: {
        memory: { rss_bytes: 95, limit_bytes: 100 },
        disk: { free_bytes: 1, size_bytes: 100 },
        event_loop: { delay_ms: { p99: 400 } },
      },
    })
    const state = after(round({ anomalies, figures }))
    expect(kinds(state)).toEqual([
      'warning system loop',
      'warning system memory',
      'warning system disk',
      'warning anomaly latency.p95',
    ])
    expect(verdict(state).findings.at(-1)?.why).toBe('900 ms, usually 300 ms')
  })

  it('tells draining before all but an emergency, and no answer before everything', () => {
    const draining = after(round({ draining: true }))
    expect(verdict(draining)).toMatchObject({ level: 'warning', title: 'Draining' })
    const gone = reduce(draining, { type: 'trouble', reason: 'no connection' }, NOW)
    expect(verdict(gone)).toMatchObject({ level: 'critical', title: 'No answer' })
  })
})

describe('targets', () => {
  const stateOf = (state: State) =>
    Object.fromEntries(targets(state).map((each) => [each.key, each]))

  it('are judged over the requests of the last minutes', () => {
    const { errors, overhead, violations } = stateOf(
      after(
        seconds(60, {
          'requests.rate': 10,
          'errors.rate': 0.5,
          'errors.ratio': 0.05,
          'overhead.p95': 0.4,
        }),
      ),
    )
    expect(errors).toMatchObject({
      state: 'missed',
      figure: '5 %',
      severe: false,
      sinceAt: NOW - 59_000,
    })
    expect(overhead).toMatchObject({ state: 'met', figure: '0.4 ms' })
    expect(violations).toMatchObject({ state: 'unknown', figure: '–' })
  })

  it('are not judged by a handful of requests', () => {
    const { errors } = stateOf(after(seconds(3, { 'requests.rate': 1, 'errors.rate': 1 })))
    expect(errors).toMatchObject({ state: 'unknown', severe: false })
  })

  it('take Redis’s memory from the figures or from its check', () => {
    const figures = readFigures({ redis: { memory_used_bytes: 75, memory_max_bytes: 100 } })
    expect(stateOf(after(round({ figures }))).redis).toMatchObject({
      state: 'missed',
      figure: '75 %',
    })
    const checked = components({
      redis: { status: 'healthy', details: { memory_used_bytes: 5, memory_max_bytes: 100 } },
    })
    expect(stateOf(after(checked)).redis).toMatchObject({ state: 'met', figure: '5 %' })
    const limitless = readFigures({ redis: { memory_used_bytes: 5, memory_max_bytes: 0 } })
    expect(stateOf(after(round({ figures: limitless }))).redis).toMatchObject({ state: 'unknown' })
  })
})

describe('connection', () => {
  const live = after(seconds(1, {}))
  const at = (state: State, ms: number): State =>
    reduce(state, { type: 'tick', nowHere: NOW + ms }, NOW + ms)

  it('is live while samples flow, and stale when none has come for long', () => {
    expect(connection(live)).toEqual({ kind: 'live' })
    expect(connection(at(live, STALE_MS))).toEqual({ kind: 'live' })
    expect(connection(at(live, STALE_MS + 1))).toEqual({ kind: 'stale', sinceHere: NOW })
  })

  it('is lost since the last answer, until the next', () => {
    const lost = reduce(live, { type: 'trouble', reason: 'no connection' }, NOW + 5_000)
    expect(connection(lost)).toEqual({ kind: 'lost', sinceHere: NOW, reason: 'no connection' })
    expect(connection(reduce(lost, round(), NOW + 9_000)).kind).toBe('polling')
  })
})

describe('reduce', () => {
  it('forgets the figures of a session that is closed, and keeps the window', () => {
    const closed = after(
      { type: 'window', window: windows[2] },
      round({ figures: readFigures({ version: '1' }) }),
      { type: 'session', session: { kind: 'closed', ended: true } },
    )
    expect(closed.figures).toBeUndefined()
    expect(closed.window).toBe(windows[2])
  })

  it('keeps what a round couldn’t ask', () => {
    const figures = readFigures({ version: '1' })
    expect(after(round({ figures }), round()).figures).toBe(figures)
  })

  it('draws no seconds among minutes', () => {
    const state = after({ type: 'window', window: windows[1] }, seconds(5, { x: 1 }))
    expect(state.frame.times).toEqual([])
    expect(connection(state)).toEqual({ kind: 'live' })
  })
})

describe('what the gateway says', () => {
  it('may be anything', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (body) => {
        const upstreams = readUpstreams({ upstreams: body })
        const state = after(
          round({
            upstreams,
            components: readComponents(body, upstreams),
            figures: readFigures(body),
            failures: readFailures({ failures: body }),
            anomalies: readAnomalies(body),
          }),
        )
        expect(typeof verdict(state).title).toBe('string')
        for (const upstream of upstreams) expect(worstBreaker(upstream)).toMatch(/open|closed|off/)
      }),
    )
  })

  it('may hold names that mean something to JavaScript', () => {
    const body: unknown = JSON.parse(
      '{"__proto__": {"status": "degraded"}, "constructor": {"status": "degraded"}}',
    )
    expect(readComponents(body, []).map(({ name }) => name)).toEqual(['__proto__', 'constructor'])
  })
})
