import type { Anomaly } from './detector.ts'
import { createDetector } from './detector.ts'
import { errorDetector, latencyDetector, usageDetector } from './presets.ts'
import {
  Chance,
  type Conditions,
  type Measured,
  measure,
  type Pattern,
  POINT_SECONDS,
  POINTS_PER_DAY,
  patterns,
} from './traffic.fixture.ts'

/** What each detector is fed with. */
const watched = {
  latency: {
    make: () => latencyDetector('latency.p95'),
    read: (seen: Measured) => seen.latencyP95,
  },
  errors: { make: () => errorDetector('errors.ratio'), read: (seen: Measured) => seen.errorRatio },
  usage: {
    make: () => usageDetector('tokens.output', 100),
    read: (seen: Measured) => seen.tokensPerSecond,
  },
}

type Watched = keyof typeof watched

/** The anomalies that begin in traffic of a kind, and the point of each. */
function watch(
  name: Watched,
  pattern: Pattern,
  points: number,
  seed: number,
): readonly { readonly point: number; readonly anomaly: Anomaly }[] {
  const chance = new Chance(seed)
  const { make, read } = watched[name]
  const detector = createDetector(make())
  const begun: { point: number; anomaly: Anomaly }[] = []
  for (let point = 0; point < points; point += 1) {
    const seen = measure(pattern(point, chance), chance)
    const weight = name === 'usage' ? undefined : seen.requests
    const anomaly = detector.push(read(seen), point * POINT_SECONDS * 1_000, weight)
    if (anomaly?.until === null) begun.push({ point, anomaly })
  }
  return begun
}

/** How many anomalies begin in days in which nothing is wrong, for each kind of traffic. */
export function falseAlarms(
  days: number,
  seed: number,
): Readonly<Record<string, Readonly<Record<Watched, number>>>> {
  const rows = Object.entries(patterns).map(([kind, make]) => {
    const count = (name: Watched) => watch(name, make(days), days * POINTS_PER_DAY, seed).length
    const counts = { latency: count('latency'), errors: count('errors'), usage: count('usage') }
    return [kind, counts] as const
  })
  return Object.fromEntries(rows)
}

/** Things that go wrong, and which detector has to tell. */
const faults: Readonly<Record<string, readonly [Watched, (usual: Conditions) => Conditions]>> = {
  'latency × 2': ['latency', (usual) => ({ ...usual, latencyMs: 2 * usual.latencyMs })],
  'latency × 5': ['latency', (usual) => ({ ...usual, latencyMs: 5 * usual.latencyMs })],
  '10 % of requests fail': ['errors', (usual) => ({ ...usual, errors: 0.1 })],
  'all requests fail': ['errors', (usual) => ({ ...usual, errors: 1 })],
  'tokens × 3': ['usage', (usual) => ({ ...usual, tokens: 3 * usual.tokens })],
  'no traffic': ['usage', (usual) => ({ ...usual, rate: 0 })],
}

/** When a fault is told. */
interface Delay {
  /** The median, in seconds, of those times that it was told within ten minutes. */
  readonly seconds: number
  /** How many times of all it was. */
  readonly told: number
}

/** How soon each fault is told that begins after two hours, in each kind of traffic, so many times. */
export function delays(times: number): Readonly<Record<string, Readonly<Record<string, Delay>>>> {
  const rows = Object.entries(faults).map(([fault, [name, change]]) => {
    const cells = (['steady', 'noisy', 'diurnal', 'spiky'] as const).map((kind) => {
      const seconds = Array.from({ length: times }, (_, seed) =>
        delay(name, patterns[kind](), change, seed + 1),
      )
      const told = seconds.filter((each) => each !== undefined).sort((a, b) => a - b)
      return [kind, { seconds: told[told.length >> 1] ?? 0, told: told.length }] as const
    })
    return [fault, Object.fromEntries(cells)] as const
  })
  return Object.fromEntries(rows)
}

const FAULT_AT = 720

function delay(
  name: Watched,
  usual: Pattern,
  change: (usual: Conditions) => Conditions,
  seed: number,
): number | undefined {
  const pattern: Pattern = (point, chance) => {
    const conditions = usual(point, chance)
    return point < FAULT_AT ? conditions : change(conditions)
  }
  const begun = watch(name, pattern, FAULT_AT + 60, seed)
  const told = begun.find(({ point }) => point >= FAULT_AT)
  return told && (told.point - FAULT_AT + 1) * POINT_SECONDS
}

/** Both tables, as the documentation has them. */
function report(): string {
  const [days, times] = [28, 50]
  const alarms = Object.entries(falseAlarms(days, 1)).map(
    ([kind, { latency, errors, usage }]) => `| ${kind} | ${latency} | ${errors} | ${usage} |`,
  )
  const told = Object.entries(delays(times)).map(([fault, kinds]) => {
    const cells = Object.values(kinds).map(
      (cell) => `${cell.seconds} s (${(100 * cell.told) / times} %)`,
    )
    return `| ${fault} | ${cells.join(' | ')} |`
  })
  return [
    `False alarms in ${days} days`,
    '| Traffic | latency | errors | usage |',
    ...alarms,
    '',
    `Delay of faults: the median, and how many of ${times} were told within ten minutes`,
    '| Fault | steady | noisy | diurnal | spiky |',
    ...told,
    '',
  ].join('\n')
}

if (import.meta.main) process.stdout.write(report())
