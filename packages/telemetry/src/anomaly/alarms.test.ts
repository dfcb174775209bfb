import { describe, expect, it } from 'vitest'
import { delays, falseAlarms } from './alarms.fixture.ts'

describe('detectors', () => {
  it('stay quiet for a day in which nothing is wrong', () => {
    const alarms = falseAlarms(1, 7)
    const none = { latency: 0, errors: 0, usage: 0 }
    expect(alarms).toMatchObject({ steady: none, diurnal: none, quiet: none })
    // Traffic that is five times as much from one moment on is unusual; that it is slower isn't.
    expect(alarms.launch).toEqual({ latency: 0, errors: 0, usage: 1 })
    const rest = [alarms.noisy, alarms.spiky].flatMap((counts) => Object.values(counts ?? {}))
    expect(rest.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(3)
  })

  it('tell of a fault within a minute', () => {
    const measured = delays(5)
    expect(Object.keys(measured)).toHaveLength(6)
    for (const [fault, { steady, diurnal, spiky }] of Object.entries(measured)) {
      for (const delay of [steady, diurnal, spiky]) {
        expect(delay?.told, fault).toBe(5)
        expect(delay?.seconds, fault).toBeLessThanOrEqual(60)
      }
    }
  })
})
