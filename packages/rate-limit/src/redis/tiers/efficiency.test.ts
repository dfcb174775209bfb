import { describe, expect, it } from 'vitest'
import { tokenBucket } from '../../core/rules.ts'
import { ModelBackend } from './model-backend.fixture.ts'
import { randomOf, SimulatedNode, Simulation } from './simulation.fixture.ts'

const RATE = 1_000
const NODES = 4
const EPOCH_MS = 250

const rule = tokenBucket({ limit: RATE, windowMs: 1_000, burst: RATE, precision: 'leased' })
const take = [{ limit: { policy: 'api', rule }, action: 'take', amount: 1 }] as const
const travel = () => ({ thereMs: 0.5, backMs: 0.5, fate: 'arrives' }) as const

/** What happened in one second of a hot subject on several processes. */
interface Second {
  decisions: number
  admitted: number
  calls: number
}

async function run(perSecond: number, seconds: number): Promise<readonly Second[]> {
  const random = randomOf(1)
  const simulation = new Simulation()
  const model = new ModelBackend(() => 1_800_000_000_000 + Math.floor(simulation.time))
  const nodes = Array.from({ length: NODES }, () => {
    return new SimulatedNode({ simulation, model, travel })
  })
  const told = Array.from({ length: seconds }, () => ({ decisions: 0, admitted: 0, calls: 0 }))
  for (let made = 0; made < perSecond * seconds; made += 1) {
    const at = random() * seconds * 1_000
    const second = told[Math.floor(at / 1_000)]
    simulation.at(at, async () => {
      const [verdict] = (await nodes[made % NODES]?.ask('hot', take)) ?? []
      if (second === undefined || verdict === undefined) return
      second.decisions += 1
      if (verdict.allowed) second.admitted += 1
    })
  }
  const callsSoFar = () => nodes.reduce((sum, { calls }) => sum + calls, 0)
  for (const [at, second] of told.entries()) {
    simulation.at(at * 1_000, () => {
      second.calls -= callsSoFar()
    })
    simulation.at(at * 1_000 + 999.9, () => {
      second.calls += callsSoFar()
    })
  }
  await simulation.run()
  return told
}

describe('leases of a hot subject', () => {
  it('admit all of half the rate, by as few calls as leases follow one another', async () => {
    const [first, ...later] = await run(RATE / 2, 3)
    expect(first?.admitted).toBe(first?.decisions)
    for (const { decisions, admitted, calls } of later) {
      expect(admitted).toBe(decisions)
      expect(calls).toBeLessThanOrEqual(2 * NODES * (1_000 / EPOCH_MS))
    }
  })

  it('admit the rate when more is asked, by a number of calls that what is asked has no part in', async () => {
    const [, ...saturated] = await run(6 * RATE, 3)
    for (const { decisions, admitted, calls } of saturated) {
      expect(admitted).toBeGreaterThan(0.95 * RATE)
      expect(admitted).toBeLessThan(1.05 * RATE)
      expect(calls).toBeLessThan(decisions / 50)
      expect(calls).toBeLessThanOrEqual(1.2 * NODES * (4_000 / EPOCH_MS))
    }
  })

  it('deny nobody at just the rate, while some of the burst is left', async () => {
    for (const { decisions, admitted } of await run(RATE, 2)) expect(admitted).toBe(decisions)
  })
})
