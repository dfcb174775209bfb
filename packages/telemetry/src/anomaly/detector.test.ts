import { describe, expect, it } from 'vitest'
import { type Anomaly, createDetector, type Detector, type DetectorOptions } from './detector.ts'

const BEGIN = { points: 3, of: 5 }

/** A detector that has seen values around 100, and what it says to further ones, a second each. */
function watching(options: Partial<DetectorOptions> = {}, usual = 60) {
  const detector = createDetector({ metric: 'm', begin: BEGIN, ...options })
  let at = 0
  const push = (...values: readonly (number | null)[]) => {
    const said: Anomaly[] = []
    for (const value of values) {
      at += 1_000
      const anomaly = detector.push(value, at)
      if (anomaly !== undefined) said.push(anomaly)
    }
    return said
  }
  push(...Array.from({ length: usual }, (_, index) => 98 + (index % 5)))
  return { detector, push }
}

const many = (value: number, length: number) => Array.from({ length }, () => value)

describe('createDetector', () => {
  it('says when an anomaly begins and when it ends', () => {
    const { detector, push } = watching()
    const [begun, ...rest] = push(500, 500, 100, 900)
    expect(rest).toEqual([])
    expect(begun).toMatchObject({
      metric: 'm',
      since: 61_000,
      until: null,
      value: 900,
      direction: 'up',
    })
    expect(begun?.expected).toBeCloseTo(100, 0)
    expect(detector.active).toBe(begun)
    expect(push(800, ...many(100, 5))).toEqual([])
    expect(push(100)).toEqual([{ ...begun, until: 66_000 }])
    expect(detector.active).toBeUndefined()
  })

  it('needs several unusual values of a few', () => {
    const { push } = watching()
    for (let time = 0; time < 5; time += 1) expect(push(500, 500, ...many(100, 4))).toEqual([])
  })

  it('says nothing before it knows what is usual', () => {
    const { push } = watching({}, 59)
    expect(push(900)).toEqual([])
    expect(watching({ minPoints: 10 }, 10).push(900, 900, 900)).toHaveLength(1)
  })

  it('goes on through values that are neither usual nor unusual', () => {
    const { detector, push } = watching({ minRelativeChange: 0.5 })
    push(500, 500, 500)
    expect(push(...many(140, 30))).toEqual([])
    expect(detector.active).toBeDefined()
    expect(push(...many(110, 6))).toHaveLength(1)
  })

  it('keeps the most unusual value', () => {
    const { detector, push } = watching()
    push(500, 500, 500, 700, 600)
    expect(detector.active).toMatchObject({ value: 700, since: 61_000 })
  })

  it('looks in the direction that it is told', () => {
    expect(watching().push(0, 0, 0)).toEqual([])
    expect(watching({ direction: 'down' }).push(500, 500, 500)).toEqual([])
    expect(watching({ direction: 'down' }).push(0, 0, 0)).toMatchObject([{ direction: 'down' }])
    const { push } = watching({ direction: 'both' })
    expect(push(0, 500, 0, 500)).toEqual([])
    expect(push(0)).toMatchObject([{ direction: 'down', value: 0 }])
  })

  it('leaves out what has too little behind it, and does not learn from it', () => {
    const { detector } = watching({ minWeight: 20 })
    const last = (weight: number) => [1, 2, 3].map((at) => detector.push(900, at, weight)).at(-1)
    for (let time = 0; time < 200; time += 1) expect(last(19)).toBeUndefined()
    expect(last(20)).toBeDefined()
  })

  it('knows that a share of little varies by chance', () => {
    const shares = (weight: number) => {
      const detector = createDetector({ metric: 'm', begin: BEGIN, isRatio: true, minChange: 0.03 })
      for (let at = 0; at < 60; at += 1) detector.push(0.01, at, 1_000)
      return [1, 2, 3].map((at) => detector.push(0.2, at, weight)).at(-1)
    }
    expect(shares(20)).toBeUndefined()
    expect(shares(500)).toMatchObject({ value: 0.2, direction: 'up' })
  })

  it('takes what matters into account where nothing ever varied', () => {
    const constant = (options: Partial<DetectorOptions>, value: number) => {
      const detector = createDetector({ metric: 'm', begin: BEGIN, ...options })
      for (let at = 0; at < 60; at += 1) detector.push(0, at)
      return [1, 2, 3].map((at) => detector.push(value, at)).at(-1)
    }
    expect(constant({ minChange: 5 }, 4)).toBeUndefined()
    expect(constant({ minChange: 5 }, 6)).toMatchObject({ expected: 0 })
    expect(constant({}, 1e-9)?.score).toBe(1_000)
  })

  it('ends when values are missing', () => {
    const { push } = watching()
    push(500, 500, 500)
    expect(push(null, Number.NaN, null, null, Number.POSITIVE_INFINITY)).toEqual([])
    expect(push(null)).toMatchObject([{ until: 64_000 }])
  })

  it('takes for usual what has lasted as long as it looks back', () => {
    const { detector, push } = watching({ window: 100 })
    expect(push(...many(500, 102))).toHaveLength(1)
    expect(push(500)).toMatchObject([{ since: 61_000, until: 163_000 }])
    expect(push(...many(500, 50))).toEqual([])
    expect(detector.active).toBeUndefined()
    expect(push(900, 900, 900)).toMatchObject([{ expected: 500 }])
  })

  it('refuses what it cannot work with', () => {
    const wrong: readonly Partial<DetectorOptions>[] = [
      { window: 3 },
      { minPoints: 400 },
      { threshold: 0 },
      { minChange: Number.NaN },
      { begin: { points: 6, of: 5 } },
      { endAfter: 0 },
    ]
    const invalid = expect.objectContaining({ code: 'invalid_option' })
    const make = (options: Partial<DetectorOptions>): Detector =>
      createDetector({ metric: 'm', ...options })
    for (const options of wrong) expect(() => make(options)).toThrow(invalid)
  })
})
