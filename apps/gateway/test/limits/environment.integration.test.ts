import { type RunningGateway, startGateway } from '@tidegate/testkit'
import { describe, expect, it } from 'vitest'
import { limitsTold, statuses } from './limited-gateway.ts'

const question = {
  path: '/v1/chat/completions',
  body: { model: 'tide', messages: [{ role: 'user', content: 'Hello' }] },
}

async function started(env: Readonly<Record<string, string>>): Promise<RunningGateway> {
  return await startGateway({ env })
}

describe('the limit of the environment', () => {
  it('lets ten at once pass, and then 100 in a minute, unless something else is said', async () => {
    await using gateway = await started({})
    const first = await fetch(`${gateway.url}/v1/models`)
    expect(limitsTold(first)).toMatchObject({ 'per-ip': { q: 100, w: 60, r: 9 } })
    const answers = await statuses(gateway, 11, question)
    expect(answers.slice(0, 9)).toEqual(Array(9).fill(200))
    expect(answers).toContain(429)
    await gateway.waitForLog(({ message }) =>
      String(message).startsWith('limits are kept in memory, per process'),
    )
  })

  it('is what the variables say', async () => {
    await using gateway = await started({ RATE_LIMIT_PER_MINUTE: '1', RATE_LIMIT_BURST: '3' })
    expect(await statuses(gateway, 4, question)).toEqual([200, 200, 200, 429])
  })

  it('may be so many in a window', async () => {
    await using gateway = await started({ RATE_LIMIT_REQUESTS: '12', RATE_LIMIT_WINDOW: '3600' })
    const answers = await statuses(gateway, 13, question)
    expect(answers).toEqual([...Array(12).fill(200), 429])
  })

  it('may be none', async () => {
    await using gateway = await started({ RATE_LIMIT_ENABLED: 'false' })
    expect(await statuses(gateway, 12, question)).toEqual(Array(12).fill(200))
    const response = await fetch(`${gateway.url}/v1/models`)
    expect(response.headers.get('ratelimit')).toBeNull()
  })
})
