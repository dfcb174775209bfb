import { describe, expect, it } from 'vitest'
import { createHealth } from './health.ts'
import { healthJson } from './health-json.ts'

describe('healthJson', () => {
  it('gives a report the words and the form of the draft', async () => {
    const now = Date.parse('2026-01-01T00:00:00Z')
    const health = createHealth({ version: '2', now: () => now })
    health.register('redis', () => {})
    health.register('api', () => ({ error: { code: 'x', message: 'y' } }), { critical: false })
    const report = await health.report()
    expect(healthJson(report)).toEqual({ status: 'warn', version: '2' })
    const check = { observedValue: 0, observedUnit: 'ms', time: '2026-01-01T00:00:00.000Z' }
    expect(healthJson(report, { authorised: true })).toEqual({
      status: 'warn',
      version: '2',
      checks: {
        'redis:responseTime': [{ componentId: 'redis', ...check, status: 'pass' }],
        'api:responseTime': [{ componentId: 'api', ...check, status: 'fail', output: 'x: y' }],
      },
    })
  })
})
