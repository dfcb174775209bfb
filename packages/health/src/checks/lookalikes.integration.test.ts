import { startMongoLookalike, startPineconeLookalike } from '@tidegate/testkit'
import { describe, expect, it } from 'vitest'
import type { Check } from '../core/check.ts'
import { look } from './looking.fixture.ts'
import { mongodbCheck } from './mongodb/mongodb-check.ts'
import { pineconeCheck } from './pinecone.ts'

/** How a service that goes through these states is told, in a time that only one that is silent exceeds. */
async function throughout<Mode extends string>(
  check: Check,
  service: { readonly behave: (mode: Mode) => Promise<void> },
  modes: readonly Mode[],
) {
  const told: Record<string, readonly (string | undefined)[]> = {}
  for (const mode of modes) {
    await service.behave(mode)
    const timeout = mode === 'deaf' ? '200ms' : '5s'
    const { status, error } = await look(check, { timeout, ...(mode === 'slow' && { slow: 200 }) })
    told[mode] = [status, error?.code]
  }
  return told
}

describe('mongodbCheck and pineconeCheck', () => {
  it('tell a MongoDB that is up, slow, deaf, wrong, failing or gone', async () => {
    await using service = await startMongoLookalike({ delayMs: 300 })
    const check = mongodbCheck({ uri: service.url })
    const modes = ['up', 'slow', 'deaf', 'wrong', 'error', 'refuse', 'up'] as const
    expect(await throughout(check, service, modes)).toEqual({
      up: ['healthy', undefined],
      slow: ['degraded', 'slow'],
      deaf: ['unhealthy', 'timeout'],
      wrong: ['unhealthy', 'wrong_protocol'],
      error: ['unhealthy', 'mongodb_11600'],
      refuse: ['unhealthy', 'ECONNREFUSED'],
    })
  })

  it('tell a Pinecone that is up, slow, deaf, wrong, failing, not ready or gone', async () => {
    await using service = await startPineconeLookalike({ apiKey: 'right', delayMs: 300 })
    const check = pineconeCheck({ apiKey: 'right', baseUrl: service.url, index: 'tide' })
    const modes = ['up', 'slow', 'deaf', 'wrong', 'error', 'unready', 'refuse', 'up'] as const
    expect(await throughout(check, service, modes)).toEqual({
      up: ['healthy', undefined],
      slow: ['degraded', 'slow'],
      deaf: ['unhealthy', 'timeout'],
      wrong: ['unhealthy', 'unexpected_body'],
      error: ['unhealthy', 'unexpected_status'],
      unready: ['unhealthy', 'index'],
      refuse: ['unhealthy', 'ECONNREFUSED'],
    })
    const refused = pineconeCheck({ apiKey: 'wrong', baseUrl: service.url })
    expect((await look(refused)).error?.code).toBe('key_refused')
  })
})
