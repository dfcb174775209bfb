import { describe, expect, it } from 'vitest'
import { healthJsonOf } from './health-json.ts'

describe('healthJsonOf', () => {
  it('says how it stands, and nothing of components unless they are given', () => {
    expect(healthJsonOf('healthy', '1.2.3')).toEqual({ status: 'pass', version: '1.2.3' })
    expect(healthJsonOf('degraded', '1.2.3')).toMatchObject({ status: 'warn' })
    expect(healthJsonOf('unhealthy', '1.2.3', {})).toMatchObject({ status: 'fail', checks: {} })
  })

  it('tells of each component what is known of it', () => {
    const at = '2030-01-01T00:00:00.000Z'
    const components = {
      plain: { status: 'healthy', checked_at: null },
      timed: { status: 'healthy', latency_ms: 3, checked_at: at },
      coded: { status: 'degraded', error: 'NOAUTH' },
      worded: { status: 'unhealthy', error: { code: 'timeout', message: 'Too late.' } },
    } as const
    expect(healthJsonOf('degraded', '1', components)).toMatchObject({
      checks: {
        plain: [{ componentId: 'plain', status: 'pass' }],
        timed: [{ observedValue: 3, observedUnit: 'ms', time: at }],
        coded: [{ status: 'warn', output: 'NOAUTH' }],
        worded: [{ status: 'fail', output: 'timeout: Too late.' }],
      },
    })
  })
})
