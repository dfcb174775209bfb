import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ask } from './asking.ts'
import { protocols, type Stage, startStage } from './stage.ts'

let stage: Stage
beforeAll(async () => {
  stage = await startStage()
})
beforeEach(() => stage.reset())
afterAll(async () => await stage[Symbol.asyncDispose]())

describe.each(protocols)('%s: a client that takes compressed answers', (protocol) => {
  const headers = { 'accept-encoding': 'gzip, br' }

  it('gets a plain one where the stream is held back, which can be read', async () => {
    await ask(stage, protocol, 'held', { stream: true, headers })
    expect(stage.main.lastRequest.headerValues('accept-encoding')).toEqual(['identity'])
  })

  it('is told by a broken body when a compressed stream is cut', async () => {
    stage.main.always({ encoding: 'gzip', fault: { kind: 'reset', at: { events: 5 } } })
    const answer = await ask(stage, protocol, 'failover', { stream: true, headers })
    expect(answer.broken).toBe(true)
    expect(stage.hits).toEqual([1, 0, 0])
  })
})
