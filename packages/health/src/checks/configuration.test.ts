import { describe, expect, it } from 'vitest'
import { configurationCheck } from './configuration.ts'
import { look } from './looking.fixture.ts'

describe('configurationCheck', () => {
  it('names what is missing or blank, and shows no value', async () => {
    const env = { API_KEY: 'hunter2', EMPTY: '', BLANK: ' ', OFF: undefined }
    const required = ['API_KEY', 'EMPTY', 'BLANK', 'OFF', 'GONE', 'toString']
    const result = await look(configurationCheck({ required, env }))
    expect(result).toMatchObject({
      status: 'unhealthy',
      error: { code: 'missing', message: 'Not set: EMPTY, BLANK, OFF, GONE, toString.' },
    })
    expect(JSON.stringify(result)).not.toContain('hunter2')
    expect((await look(configurationCheck({ required: ['API_KEY'], env }))).status).toBe('healthy')
  })

  it('looks anew each time', async () => {
    const env: Record<string, string> = {}
    const check = configurationCheck({ required: ['KEY'], env })
    expect((await look(check)).status).toBe('unhealthy')
    env.KEY = 'x'
    expect((await look(check)).status).toBe('healthy')
  })
})
