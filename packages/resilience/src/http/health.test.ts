import { describe, expect, it } from 'vitest'
import { checkHealth, type HealthProbe } from './health.ts'

function clock(...instants: number[]): () => number {
  return () => instants.shift() ?? 0
}

describe('checkHealth', () => {
  it('asks once, within the time, and reports how long the answer took', async () => {
    const asked: unknown[] = []
    const client: HealthProbe = {
      request: async (options) => {
        asked.push(options)
        return { status: 204 }
      },
    }
    const report = await checkHealth(client, {
      path: '/livez',
      timeoutMs: 70,
      now: clock(10, 22.4),
    })
    expect(report).toEqual({
      healthy: true,
      status: 204,
      response_time_ms: 12,
      checked_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    })
    expect(asked).toMatchObject([
      { method: 'GET', path: '/livez', timeouts: { totalMs: 70 }, retry: false },
    ])
  })

  it.each([199, 301, 404, 500, 503])('takes status %d for an unhealthy answer', async (status) => {
    const client: HealthProbe = { request: async () => ({ status }) }
    expect(await checkHealth(client)).toMatchObject({ healthy: false, status })
  })

  it('never rejects, and tells the code of a failure but not its text', async () => {
    const failure = Object.assign(new Error('https://user:secret@host'), { code: 'timeout' })
    const fails: HealthProbe = { request: () => Promise.reject(failure) }
    const report = await checkHealth(fails, { now: clock(0, 5) })
    expect(report).toMatchObject({ healthy: false, error: 'timeout', response_time_ms: 5 })
    expect(report).not.toHaveProperty('status')
    expect(JSON.stringify(report)).not.toContain('secret')
    const strange: HealthProbe = { request: () => Promise.reject(undefined) }
    expect(await checkHealth(strange)).toMatchObject({ healthy: false, error: 'unknown' })
  })
})
