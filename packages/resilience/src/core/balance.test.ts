import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { pickEndpoint } from './balance.ts'

interface Endpoint {
  readonly weight: number
  pending: number
}

const all = () => true

/** The same numbers on every run. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

describe('pickEndpoint', () => {
  it('picks nothing where nothing is usable', () => {
    expect(pickEndpoint([], all)).toBeUndefined()
    expect(pickEndpoint([{ weight: 1, pending: 0 }], () => false)).toBeUndefined()
    expect(pickEndpoint([{ weight: 0, pending: 0 }], all)).toBeUndefined()
  })

  it('takes the only usable one without drawing', () => {
    const endpoints = [1, 2, 3].map((weight) => ({ weight, pending: 9 }))
    const random = () => {
      throw new Error('Nothing is to be drawn.')
    }
    expect(pickEndpoint(endpoints, (endpoint) => endpoint.weight === 2, random)).toBe(endpoints[1])
  })

  it('takes the less busy of two, by weight', () => {
    const busy = { weight: 1, pending: 3 }
    const idle = { weight: 1, pending: 2 }
    const strong = { weight: 4, pending: 7 }
    for (const draw of [0, 0.5, 0.999]) {
      expect(pickEndpoint([busy, idle], all, () => draw)).toBe(idle)
      expect(pickEndpoint([idle, strong], all, () => draw)).toBe(strong)
    }
  })

  it('gives idle endpoints their shares by weight in the long run', () => {
    const endpoints = [1, 2, 7].map((weight) => ({ weight, pending: 0 }))
    const random = seeded(1)
    const counts = new Map(endpoints.map((endpoint) => [endpoint.weight, 0]))
    for (let i = 0; i < 20_000; i++) {
      const weight = pickEndpoint(endpoints, all, random)?.weight ?? 0
      counts.set(weight, (counts.get(weight) ?? 0) + 1)
    }
    for (const [weight, count] of counts) expect(count / 20_000).toBeCloseTo(weight / 10, 1)
  })

  it('gives endpoints that are equally fast their shares under load, too', () => {
    const endpoints = [1, 1, 2].map((weight): Endpoint => ({ weight, pending: 0 }))
    const random = seeded(2)
    const counts = new Map(endpoints.map((endpoint) => [endpoint, 0]))
    const running: Endpoint[] = []
    for (let i = 0; i < 20_000; i++) {
      const picked = pickEndpoint(endpoints, all, random)
      if (picked === undefined) throw new Error('One is always usable.')
      counts.set(picked, (counts.get(picked) ?? 0) + 1)
      picked.pending += 1
      running.push(picked)
      if (running.length <= 40) continue
      const [ended] = running.splice(Math.floor(random() * running.length), 1)
      if (ended) ended.pending -= 1
    }
    for (const [{ weight }, count] of counts) {
      expect(Math.abs(count / 20_000 - weight / 4)).toBeLessThan(0.03)
    }
  })

  it('sends less to one that is slow', () => {
    const [fast, slow] = [1, 1].map((weight): Endpoint => ({ weight, pending: 0 }))
    if (fast === undefined || slow === undefined) throw new Error('There are two.')
    const random = seeded(3)
    const ends: { at: number; of: Endpoint }[] = []
    const counts = { fast: 0, slow: 0 }
    for (let now = 0; now < 5000; now++) {
      for (const end of ends.filter(({ at }) => at === now)) end.of.pending -= 1
      const picked = pickEndpoint([fast, slow], all, random) === slow ? 'slow' : 'fast'
      counts[picked] += 1
      const of = picked === 'slow' ? slow : fast
      of.pending += 1
      ends.push({ at: now + (picked === 'slow' ? 50 : 5), of })
    }
    expect(counts.fast).toBeGreaterThan(3 * counts.slow)
  })

  it('picks one that is usable and not heavier loaded than all others, whatever it is given', () => {
    const endpoint = fc.record({
      weight: fc.integer({ min: 0, max: 5 }),
      pending: fc.nat(20),
      up: fc.boolean(),
    })
    const draws = fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }))
    fc.assert(
      fc.property(fc.array(endpoint, { maxLength: 6 }), draws, (endpoints, stream) => {
        const random = () => stream.next().value ?? 0
        const picked = pickEndpoint(endpoints, ({ up }) => up, random)
        const candidates = endpoints.filter(({ weight, up }) => up && weight > 0)
        if (picked === undefined) expect(candidates).toHaveLength(0)
        else expect(candidates).toContain(picked)
        if (picked === undefined || candidates.length < 2) return
        const load = (one: Endpoint) => one.pending / one.weight
        const others = candidates.filter((one) => one !== picked)
        expect(load(picked)).toBeLessThanOrEqual(Math.max(...others.map(load)))
      }),
    )
  })
})
