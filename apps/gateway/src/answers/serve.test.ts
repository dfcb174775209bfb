import { EventEmitter } from 'node:events'
import type { Recording, RecordingFault } from '@tidegate/events'
import { DeadlineExceeded } from '@tidegate/server'
import type { Context } from 'hono'
import { describe, expect, it } from 'vitest'
import type { GatewayEnv } from '../env.ts'
import { GatewayError } from '../problems.ts'
import { RefusedAnswer } from './answer-fault.ts'
import type { AnswerHead } from './answer-head.ts'
import { BeginAnew } from './begin-anew.ts'
import type { Outbound } from './outbound.ts'
import { type Answered, serve, serveFrom } from './serve.ts'

const OUTBOUND = { route: { hitCost: 0 }, transfer: { write: 1000 } } as unknown as Outbound

/** A request that has had no answer yet. */
function request(): Context<GatewayEnv> {
  const exchange = { headers: [], timings: [], sent: false, startedAt: 0, deadlineAt: undefined }
  const variables = new Map<string, unknown>([['exchange', exchange]])
  return {
    env: { outgoing: Object.assign(new EventEmitter(), { destroyed: false }) },
    get: (name: string) => variables.get(name),
    set: (name: string, value: unknown) => void variables.set(name, value),
  } as unknown as Context<GatewayEnv>
}

/** A recording that has failed before anybody read it. */
const failed = (code: RecordingFault['code'], cause?: unknown): Answered => {
  const recording = { joinable: false, state: 'failed', fault: { code, cause }, whole: () => {} }
  return { recording: recording as unknown as Recording<AnswerHead>, how: { cache: 'coalesced' } }
}

const served = (answered: Answered): Promise<unknown> =>
  serve(request(), answered.recording, answered.how, OUTBOUND).catch((error: unknown) => error)

describe('serve', () => {
  it('tells of a recording that has failed what its call met', async () => {
    const error = new GatewayError('upstream_unavailable', 'Left alone.', {
      facts: { retryAfterMs: 5000 },
    })
    const told = await served(failed('failed', new RefusedAnswer(error, [])))
    expect(told).toBeInstanceOf(GatewayError)
    expect(told).not.toBeInstanceOf(BeginAnew)
    expect(told).toMatchObject({ code: 'upstream_unavailable', facts: { retryAfterMs: 5000 } })
  })

  it.each<[RecordingFault['code'], unknown, string]>([
    ['lost', undefined, 'answer_lost'],
    ['abandoned', undefined, 'answer_lost'],
    ['too_large', undefined, 'answer_lost'],
    ['closed', undefined, 'gateway_draining'],
    ['failed', { kind: 'told' }, 'answer_lost'],
    ['failed', { kind: 'broken', code: 'stream_interrupted' }, 'answer_lost'],
    ['failed', 'something else', 'answer_lost'],
  ])('asks for another call where it is %s (%o)', async (code, cause, told) => {
    const error = await served(failed(code, cause))
    expect(error).toBeInstanceOf(BeginAnew)
    expect(error).toMatchObject({ code: told, original: { code: told } })
  })

  it('asks for another call also when the gateway failed that led, or its time ran out', async () => {
    for (const error of [new Error('a mistake'), new DeadlineExceeded({ hop: 'x', limitMs: 1 })]) {
      const told = await served(failed('failed', new RefusedAnswer(error, [])))
      expect(told).toBeInstanceOf(BeginAnew)
    }
  })
})

describe('serveFrom', () => {
  it('looks once more, and tells then what the last call met', async () => {
    const asked: boolean[] = []
    const find = (again: boolean): Answered => {
      asked.push(again)
      return failed(again ? 'closed' : 'lost')
    }
    const error = await serveFrom(request(), OUTBOUND, find).catch((thrown: unknown) => thrown)
    expect(asked).toEqual([false, true])
    expect(error).not.toBeInstanceOf(BeginAnew)
    expect(error).toMatchObject({ code: 'gateway_draining' })
  })

  it('looks no more where an error is what the client is to be told', async () => {
    let asked = 0
    const find = (): Answered => {
      asked += 1
      throw new GatewayError('no_route', 'None.')
    }
    await expect(serveFrom(request(), OUTBOUND, find)).rejects.toMatchObject({ code: 'no_route' })
    expect(asked).toBe(1)
  })
})
