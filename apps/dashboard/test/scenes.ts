/** What a scripted gateway says of itself. */
export interface Scene {
  draining: boolean
  components: Readonly<Record<string, unknown>>
  upstreams: Readonly<Record<string, unknown>>
  failures: readonly unknown[]
  anomalies: unknown
  metrics: unknown
  history(now: number, seconds: number, step: number): unknown
  sample(): Readonly<Record<string, number | null>>
}

type Values = Readonly<Record<string, number | null>>

const ago = (ms: number): string => new Date(Date.now() - ms).toISOString()

/** Looks like chance, and is the same every time. */
function noise(t: number, salt: number): number {
  const x = Math.sin(t * 12.9898 + salt * 78.233) * 43_758.5453
  return x - Math.floor(x)
}

/** The figures of a busy gateway at a second; with `trouble`, since four minutes half of them fail. */
function figuresAt(t: number, trouble: boolean, now = Date.now()): Values {
  const s = Math.floor(t / 1000)
  const wave = 1 + 0.25 * Math.sin(s / 90) + 0.12 * (noise(s, 1) - 0.5)
  const bad = trouble && now - t < 230_000
  const requests = Math.round(48 * wave)
  const errors = bad ? requests * (0.05 + 0.04 * noise(s, 2)) : noise(s, 3) > 0.93 ? 1 : 0
  const slow = bad ? 3.1 : 1
  return {
    'requests.rate': requests,
    'errors.rate': errors,
    'errors.ratio': errors / requests,
    'latency.p50': 310 * slow * (1 + 0.1 * noise(s, 4)),
    'latency.p95': 840 * slow * (1 + 0.22 * noise(s, 5)),
    'latency.p99': 1_450 * slow * (1 + 0.5 * noise(s, 6)),
    'overhead.p95': 0.42 + 0.2 * noise(s, 7),
    'requests.active': Math.round(31 * wave * slow),
    'streams.active': Math.round(18 * wave * slow),
    'tokens.input': 21_000 * wave,
    'tokens.output': 6_400 * wave,
    'cost.usd': 0.031 * wave,
    'cache.hit_ratio': 0.86 + 0.05 * noise(s, 8),
    'limits.denied': noise(s, 9) > 0.97 ? 1 : 0,
    'limits.violation_ratio': noise(s, 9) > 0.97 ? 0.01 : 0,
    'retries.rate': bad ? 6.4 + noise(s, 10) : 0.2,
    'hedges.rate': 0.1,
    'cpu.ratio': 0.34 + 0.05 * noise(s, 11),
    'memory.rss': 212e6,
    'eventloop.delay': 1.2 + noise(s, 12),
  }
}

function historyOf(at: (t: number) => Values) {
  return (now: number, seconds: number, step: number): unknown => {
    const times: number[] = []
    const last = Math.floor(now / 1000) * 1000
    for (let t = last - seconds * 1000; t <= last; t += step * 1000) times.push(t)
    const names = Object.keys(at(last))
    const series = names.map((metric) => ({
      metric,
      unit: '',
      points: times.map((t) => [t, at(t)[metric] ?? null]),
    }))
    return { now, window_seconds: seconds, step_seconds: step, series }
  }
}

function stats(count: number, perMinute: number, errorRate: number | null, p95: number | null) {
  return {
    count,
    success_rate: errorRate === null ? null : 1 - errorRate,
    error_rate: errorRate,
    average_ms: p95 === null ? null : p95 * 0.5,
    p50_ms: p95 === null ? null : p95 * 0.4,
    p95_ms: p95,
    p99_ms: p95 === null ? null : p95 * 1.7,
    requests_per_minute: perMinute,
  }
}

function endpoint(name: string, host: string, over: object = {}) {
  return {
    ...{ name, status: 'healthy', endpoint: host, weight: 1, pending: 6, breaker: 'closed' },
    ...{ attempts: 84_211, answered: 84_180, failed: 31, malformed_events: 0 },
    latency_ms: { p50: 290, p95: 790, p99: 1_400 },
    ...{ last_answer_at: ago(400), last_failure_at: ago(3_400_000), last_failure: '503' },
    ...over,
  }
}

function upstream(endpoints: readonly object[], over: object = {}) {
  return {
    ...{ status: 'healthy', checked_at: ago(400), protocol: 'openai', demo: false },
    ...{
      pending: 12,
      queued: 0,
      retry_budget: 90,
      attempts: 168_422,
      answered: 168_360,
      failed: 62,
    },
    ...{ last_failure_at: ago(3_400_000), last_failure: '503' },
    endpoints,
    ...over,
  }
}

const metrics = {
  version: '0.4.1',
  timestamp: ago(0),
  uptime_seconds: 273_910,
  totals: stats(1_284_311, 2_880, 0.004, 870),
  routes: {
    '/v1/chat/completions': stats(982_114, 2_210, 0.004, 910),
    '/v1/messages': stats(214_806, 480, 0.003, 1_120),
    '/v1/embeddings': stats(61_120, 160, 0.0004, 88),
    '/companion/**': stats(26_271, 30, 0, 41),
  },
  upstreams: {
    openai: stats(1_000_114, 2_210, 0.004, 880),
    anthropic: stats(214_806, 480, 0.003, 1_120),
    companion: stats(26_271, 30, 0, 41),
  },
  tiers: { pro: stats(904_000, 2_000, 0.004, 900), free: stats(380_311, 880, 0.005, 820) },
  limits: { allowed: 1_283_950, denied: 361, violation_rate: 0.00028 },
  cache: { hits: 41_220, misses: 6_104, hit_rate: 0.871 },
  tokens: { input: 4_812_330_112, output: 1_204_118_776, cost_usd: 18_422.71 },
  streams: {
    active: 18,
    ended: { complete: 702_118, client_gone: 8_120, upstream_broken: 204, deadline: 12 },
  },
  redis: { memory_used_bytes: 412e6, memory_max_bytes: 2e9 },
  system: {
    cpu_ratio: 0.36,
    memory: { rss_bytes: 212e6, limit_bytes: 1_073_741_824 },
    disk: { free_bytes: 48.2e9, size_bytes: 100e9 },
    network_connections: 412,
    event_loop: { delay_ms: { p50: 1.1, p99: 4.2 }, utilization: 0.31 },
    uptime_seconds: 2_104_000,
  },
}

const components = {
  process: { status: 'healthy', checked_at: ago(0), memory: { rss_bytes: 212e6 }, node: 'v24.0.0' },
  limits: { status: 'healthy', checked_at: ago(0) },
  redis: {
    status: 'healthy',
    checked_at: ago(0),
    latency_ms: 0.6,
    state: 'ready',
    where: 'redis:6379',
  },
  cache: { status: 'healthy', checked_at: ago(0), entries: 1_204 },
}

/** All is well. */
export function calm(): Scene {
  const at = (t: number): Values => figuresAt(t, false)
  return {
    draining: false,
    components,
    upstreams: {
      openai: upstream([
        endpoint('openai-1', 'api.openai.com'),
        endpoint('openai-2', 'eu.openai.com'),
      ]),
      anthropic: upstream([endpoint('anthropic', 'api.anthropic.com')], { protocol: 'anthropic' }),
      companion: upstream([endpoint('companion', '10.0.4.12:8084')], { protocol: 'http' }),
    },
    failures: [],
    anomalies: { active: [], recent: [] },
    metrics,
    history: historyOf(at),
    sample: () => at(Date.now()),
  }
}

const timeline = [
  {
    kind: 'failure',
    at: 0,
    ms: 5_002.3,
    attempt: 1,
    reason: 'first_byte_timeout',
    endpoint: 'api.openai.com',
    breaker: 'closed',
  },
  { kind: 'wait', at: 5_002.4, ms: 212.9, reason: 'backoff' },
  {
    kind: 'failure',
    at: 5_215.3,
    ms: 340.1,
    attempt: 2,
    reason: '503',
    endpoint: 'eu.openai.com',
    breaker: 'closed',
  },
  {
    kind: 'rejected',
    at: 5_560,
    attempt: 3,
    reason: 'circuit_open',
    endpoint: 'api.openai.com',
    breaker: 'open',
  },
]

function failed(): readonly unknown[] {
  return Array.from({ length: 14 }, (_, index) => ({
    request_id: `01JD4Z7Q${String(index).padStart(4, '0')}TQW8`,
    at: ago(2_100 + index * 7_300),
    method: 'POST',
    path: '/v1/chat/completions',
    route: '/v1/chat/completions',
    upstream: 'openai',
    code: index % 4 === 3 ? 'upstream_unavailable' : 'first_byte_timeout',
    attempts: 3,
    duration_ms: 5_561.2 + index * 12,
    timeline,
  }))
}

/** An upstream fails, Redis is away, and it shows everywhere. */
export function trouble(): Scene {
  const at = (t: number): Values => figuresAt(t, true)
  const down = {
    ...{ status: 'degraded', breaker: 'open', probe_in_ms: 11_400, failed: 1_904 },
    ...{
      last_answer_at: ago(231_000),
      last_failure_at: ago(2_100),
      last_failure: 'first_byte_timeout',
    },
  }
  return {
    ...calm(),
    components: {
      ...components,
      redis: {
        status: 'unhealthy',
        checked_at: ago(0),
        state: 'connecting',
        latency_ms: null,
        error: 'ECONNREFUSED',
      },
      limits: { status: 'degraded', checked_at: ago(0), reason: 'deciding in this process alone' },
    },
    upstreams: {
      ...calm().upstreams,
      openai: upstream(
        [endpoint('openai-1', 'api.openai.com', down), endpoint('openai-2', 'eu.openai.com')],
        {
          ...{ status: 'degraded', pending: 74, queued: 12, last_failure_at: ago(2_100) },
          last_failure: 'first_byte_timeout',
        },
      ),
    },
    failures: failed(),
    anomalies: {
      active: [
        {
          metric: 'latency.p95',
          since: Date.now() - 214_000,
          until: null,
          value: 2_940,
          expected: 905,
          score: 11.2,
          direction: 'up',
        },
      ],
      recent: [
        {
          metric: 'tokens.output',
          since: ago(9_800_000),
          until: ago(9_210_000),
          value: 31_000,
          expected: 6_300,
          score: 8.1,
          direction: 'up',
        },
      ],
    },
    metrics: { ...metrics, totals: stats(1_284_311, 2_880, 0.121, 2_900) },
    history: historyOf(at),
    sample: () => at(Date.now()),
  }
}

/** Nobody has asked for anything yet. */
export function silence(): Scene {
  const nothing: Values = Object.fromEntries(
    Object.entries(figuresAt(0, false)).map(([name]) => [
      name,
      /ratio|latency|overhead/.test(name) ? null : 0,
    ]),
  )
  return {
    ...calm(),
    metrics: {
      ...metrics,
      totals: stats(0, 0, null, null),
      ...{ routes: {}, upstreams: {}, tiers: {} },
      limits: { allowed: 0, denied: 0, violation_rate: null },
      cache: { hits: 0, misses: 0, hit_rate: null },
      tokens: { input: 0, output: 0, cost_usd: null },
      streams: { active: 0, ended: {} },
      redis: null,
    },
    history: historyOf(() => nothing),
    sample: () => nothing,
  }
}

const nasty = [
  '<img src=x onerror="window.hacked=1">',
  '"><script>window.hacked=1</script>',
  '__proto__',
  'constructor',
  '\u202Eesrever\u0000\u200B',
  '',
  `/v1/${'very-long-segment-without-a-break'.repeat(40)}`,
  '𝕌𝕟𝕚𝕔𝕠𝕕𝕖 👩‍💻 שלום عربى',
]

/** Names and values that nobody would choose but somebody may send. */
export function hostile(): Scene {
  const names = [...nasty, ...Array.from({ length: 52 }, (_, index) => `upstream-${index}`)]
  // `fromEntries` makes a member of `__proto__` as well, as parsing JSON does.
  const all = <T>(make: (name: string, index: number) => T) =>
    Object.fromEntries(names.map((name, index) => [name, make(name, index)]))
  const huge = stats(Number.MAX_SAFE_INTEGER, 1e21, 1, 9e15)
  const broken = {
    ...(trouble().metrics as object),
    routes: all(() => huge),
    upstreams: all(() => huge),
    tiers: { [nasty[0] ?? '']: huge },
  }
  const failures = nasty.map((name, index) => ({
    ...{
      request_id: name,
      at: index % 2 === 0 ? null : 'not a time',
      method: name,
      path: name,
      route: name,
    },
    ...{ upstream: name, code: name, attempts: null, duration_ms: 1e300 },
    timeline: [
      null,
      4,
      { kind: name, at: -5, ms: 1e12, reason: name, endpoint: name, breaker: name },
    ],
  }))
  const wild: Values = Object.fromEntries(
    Object.keys(figuresAt(0, false)).map((name, index) => [
      name,
      index % 3 === 0 ? null : 1e18 * index,
    ]),
  )
  return {
    ...calm(),
    components: {
      ...all(() => ({ status: 'unhealthy', error: nasty[1] })),
      redis: null,
      odd: 'text',
    },
    upstreams: all((name, index) =>
      upstream(
        [
          endpoint(name, name, {
            breaker: ['open', 'half-open', 'closed', 'x'][index % 4],
            status: 'degraded',
          }),
        ],
        {
          ...{
            status: index % 3 === 0 ? 'unhealthy' : 'healthy',
            last_failure: name,
            pending: null,
          },
          attempts: null,
        },
      ),
    ),
    failures,
    anomalies: {
      active: nasty.map((metric) => ({
        metric,
        since: null,
        until: null,
        value: null,
        expected: 1e300,
      })),
      recent: 'none',
    },
    metrics: broken,
    history: historyOf(() => wild),
    sample: () => wild,
  }
}
