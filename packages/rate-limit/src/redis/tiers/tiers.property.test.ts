import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { quotaLeaseTermsOf } from '../../core/quota-lease-terms.ts'
import {
  type FixedWindowRule,
  fixedWindow,
  slidingWindow,
  type TokenBucketRule,
  tokenBucket,
} from '../../core/rules.ts'
import type { StoreRequest, Verdict } from '../../core/store.ts'
import { type Admitted, tightestInterval } from '../../testing/promise.ts'
import { ModelBackend } from './model-backend.fixture.ts'
import {
  randomOf,
  SimulatedNode,
  Simulation,
  type Skew,
  type Travel,
} from './simulation.fixture.ts'

const START = 1_800_000_000_000

interface Scenario {
  readonly seed: number
  readonly rule: TokenBucketRule | FixedWindowRule
  readonly nodes: number
  readonly load: number
  readonly latencyMs: number
  readonly faults: number
}

const circumstances = {
  seed: fc.nat(),
  nodes: fc.integer({ min: 1, max: 6 }),
  load: fc.constantFrom(0.5, 1, 2, 6),
  latencyMs: fc.constantFrom(0.2, 2, 30),
  faults: fc.constantFrom(0, 0.02, 0.2),
}

const windowScenario: fc.Arbitrary<Scenario & { rule: FixedWindowRule }> = fc
  .record({
    ...circumstances,
    limit: fc.integer({ min: 20, max: 500 }),
    windowMs: fc.integer({ min: 160, max: 3_000 }),
  })
  .map(({ limit, windowMs, ...rest }) => {
    return { ...rest, rule: fixedWindow({ limit, windowMs, precision: 'leased' }) }
  })

const scenario = (
  precision: TokenBucketRule['precision'],
): fc.Arbitrary<Scenario & { rule: TokenBucketRule }> =>
  fc
    .record({
      ...circumstances,
      burst: fc.integer({ min: 20, max: 1_000 }),
      secondsOfBurst: fc.constantFrom(0.2, 0.5, 1, 4),
    })
    .map(({ burst, secondsOfBurst, ...rest }) => {
      const options = { limit: Math.ceil(burst / secondsOfBurst), windowMs: 1_000, burst }
      return { ...rest, rule: tokenBucket({ ...options, precision }) }
    })

/** Of a machine that sleeps, or of one whose wall clock is set; both run fast or slow by less than 1 %. */
function skewOf(random: () => number, endMs: number): { skew: Skew; sleeps: [number, number] } {
  const offset = random() * 1e9
  const speed = 0.992 + random() * 0.016
  const from = random() * endMs
  const until = from + random() * endMs
  const sleeps = random() < 0.5
  const step = (random() - 0.7) * 10_000
  return {
    sleeps: sleeps ? [from, until] : [from, from + (random() < 0.5 ? until - from : 0)],
    skew: {
      monotonic: (time) => {
        const asleep = sleeps ? Math.max(0, Math.min(time, until) - from) : 0
        return offset + (time - asleep) * speed
      },
      wall: (time) => 1.8e12 + time * speed + (!sleeps && time >= from ? step : 0),
    },
  }
}

/** Callers on several processes, of which some are paused, put to sleep or killed, on a bad network. */
async function run({ seed, rule, nodes, load, latencyMs, faults }: Scenario): Promise<Admitted[]> {
  const random = randomOf(seed)
  const simulation = new Simulation()
  const isBucket = rule.kind === 'token-bucket'
  const stepBackAt = isBucket && random() < 0.2 ? random() * 1_000 : Number.POSITIVE_INFINITY
  const model = new ModelBackend(
    () => START + Math.floor(simulation.time) - (simulation.time > stepBackAt ? 300 : 0),
    () => simulation.time,
  )
  const limit = { policy: 'api', rule }
  const spent: Admitted[] = []
  const calls = 500
  const endMs = (calls / (load * rule.limit)) * rule.windowMs
  const refunded = new Set<Admitted>()
  const processes = Array.from({ length: nodes }, () => {
    const { skew, sleeps } = skewOf(random, endMs)
    const travel = () => ({
      thereMs: random() * latencyMs,
      backMs: random() * latencyMs,
      fate: fateOf(random() / faults),
    })
    const node = new SimulatedNode({ simulation, model, travel, skew })
    simulation.at(sleeps[0], () => node.pause(sleeps[1]))
    if (random() < 0.4) simulation.at(random() * endMs, () => node.restart())
    return node
  })

  const note = (verdicts: readonly Verdict[], amount: number): Admitted | undefined => {
    const [verdict] = verdicts
    if (verdict?.applied !== true || verdict.source !== 'lease') return undefined
    const admitted = { askedAt: simulation.time, answeredAt: simulation.time, cost: amount }
    spent.push(admitted)
    return admitted
  }

  const call = async (node: SimulatedNode, request: StoreRequest) => {
    const sync = random() < 0.5 ? node.store.decideSync('hot', [request]) : undefined
    const verdicts = sync ?? (await node.ask('hot', [request]).catch(() => []))
    const admitted = note(verdicts, request.amount)
    if (admitted === undefined || random() > 0.1) return
    const { stamp } = verdicts[0] ?? {}
    const [back] = await node.ask('hot', [{ ...request, action: 'refund', stamp }])
    if (back?.applied) refunded.add(admitted)
  }

  const rushes = Array.from({ length: 8 }, () => random() * endMs)
  const rushMs = random() * (quotaLeaseTermsOf(rule)?.epochMs ?? 100)
  for (let made = 0; made < calls; made += 1) {
    const node = processes[Math.floor(random() ** 2 * nodes)]
    const amount = random() < 0.9 ? 1 : Math.ceil(random() * 5)
    const rush = rushes[Math.floor(random() * rushes.length)] ?? 0
    const at = random() < 0.3 ? random() * endMs : rush + random() * rushMs
    node?.at(at, () => void call(node, { limit, action: 'take', amount }))
  }
  await simulation.run()
  const decided = model.admissions.map(({ at, cost }) => ({ askedAt: at, answeredAt: at, cost }))
  return [...decided, ...spent.filter((one) => !refunded.has(one))]
}

function fateOf(number: number): Travel['fate'] {
  if (number >= 1) return 'arrives'
  return number < 0.5 ? 'is lost' : 'answer is lost'
}

const keepsPromise = (precision: TokenBucketRule['precision']) =>
  fc.assert(
    fc.asyncProperty(scenario(precision), async (drawn) => {
      const { rule } = drawn
      const terms = quotaLeaseTermsOf(rule)
      const overshoot = terms !== undefined && !terms.strict ? terms.escrow : 0
      const tightest = tightestInterval({ ...rule, overshoot }, await run(drawn))
      if (tightest === undefined) return
      expect(tightest.admitted).toBeLessThanOrEqual(tightest.allowed + 1e-6)
    }),
    { numRuns: 60 },
  )

describe('many processes, whatever happens to them, keep the promise for every interval', () => {
  it('exact', () => keepsPromise('exact'))
  it('leased', () => keepsPromise('leased'))
  it('with an overshoot', () => keepsPromise({ maxOvershoot: 0.3 }))

  it('leased, in windows of the clock', () =>
    fc.assert(
      fc.asyncProperty(windowScenario, async (drawn) => {
        const { limit, windowMs } = drawn.rule
        const counts = new Map<number, number>()
        for (const { askedAt, cost } of await run(drawn)) {
          const window = Math.floor((START + askedAt) / windowMs)
          counts.set(window, (counts.get(window) ?? 0) + cost)
        }
        for (const count of counts.values()) expect(count).toBeLessThanOrEqual(limit)
      }),
      { numRuns: 60 },
    ))
})

describe('what is denied without asking', () => {
  it('would have been denied there at that time, too', () =>
    fc.assert(
      fc.asyncProperty(scenario('exact'), async ({ seed, rule, nodes, load, latencyMs }) => {
        const random = randomOf(seed)
        const simulation = new Simulation()
        const model = new ModelBackend(() => START + Math.floor(simulation.time))
        const travel = () =>
          ({
            thereMs: random() * latencyMs,
            backMs: random() * latencyMs,
            fate: 'arrives',
          }) as const
        const limits = [rule, slidingWindow({ ...rule, limit: Math.ceil(rule.limit / 2) })].map(
          (one, at) => ({ policy: `policy-${at}`, rule: one }),
        )
        const processes = Array.from({ length: nodes }, () => {
          return new SimulatedNode({ simulation, model, travel })
        })
        const call = async (node: SimulatedNode) => {
          const asked = random() < 0.5 ? limits : limits.slice(0, 1)
          const requests = asked.map((limit) => {
            return { limit, action: 'take', amount: random() < 0.8 ? 1 : 3 } as const
          })
          const verdicts = await node.ask('hot', requests)
          if (verdicts[0]?.source !== 'deny-cache') return
          const peeks = requests.map((request) => ({ ...request, action: 'peek' }) as const)
          const wants = peeks.map(() => 0)
          const [now] = model.decideNow([{ subject: 'hot', requests: peeks, count: 1, wants }])
          expect(now?.verdicts.every(({ allowed }) => allowed)).toBe(false)
          for (const [at, { retryAfterMs }] of verdicts.entries()) {
            if (requests[at]?.amount !== 1) continue
            expect(retryAfterMs).toBeLessThanOrEqual(
              (now?.verdicts[at]?.retryAfterMs ?? 0) + 2 * latencyMs + 2,
            )
          }
        }
        const endMs = (300 / (load * rule.limit)) * rule.windowMs
        const told: Promise<void>[] = []
        for (let made = 0; made < 300; made += 1) {
          const node = processes[made % nodes]
          if (node !== undefined) node.at(random() * endMs, () => told.push(call(node)))
        }
        await simulation.run()
        await Promise.all(told)
      }),
      { numRuns: 60 },
    ))
})
