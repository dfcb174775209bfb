import type { Behaviour } from '@tidegate/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ask, bodyOf, eventsOf, goodAnswer, saysDone, summaryOf, upstreamHealth } from './asking.ts'
import { type Stage, startStage } from './stage.ts'

/** What is huge or comes in crowds takes its time on a busy machine. */
const patientMs = 2_500

let stage: Stage
beforeAll(async () => {
  stage = await startStage(patientMs)
})
beforeEach(() => stage.reset())
afterAll(async () => {
  // Whatever a provider did: nothing was thrown where nobody caught it, and nothing is held.
  expect(stage.gateway.stderr).toBe('')
  for (const name of ['openai-main', 'openai-backup', 'openai-third']) {
    expect(await upstreamHealth(stage, name)).toMatchObject({ pending: 0, queued: 0 })
  }
  await stage[Symbol.asyncDispose]()
})

const json = { 'content-type': 'application/json' }
const sse = { 'content-type': 'text/event-stream' }

/** Asks on the way with two upstreams; only the first of them misbehaves. */
async function failover(behaviour: Behaviour, asking: Parameters<typeof ask>[3] = {}) {
  stage.main.always(behaviour)
  return await ask(stage, 'openai', 'failover', asking)
}

const fromBackup = goodAnswer('backup-model')

describe('a Retry-After', () => {
  const limited = (value: string | readonly string[]) => {
    return { status: 429, headers: { 'retry-after': value, 'retry-after-ms': null } }
  }

  it.each([
    ['far too large', '99999999999999999999'],
    ['a date in a far year', 'Fri, 31 Dec 9999 23:59:59 GMT'],
    ['just above the longest wait', '2.1'],
  ])('that is %s goes elsewhere at once', async (_, value) => {
    expect(summaryOf(await failover(limited(value)))).toEqual(fromBackup)
    expect(stage.hits).toEqual([1, 1, 0])
  })

  it.each([
    ['negative', '-5'],
    ['no number', 'soon'],
    ['a number in a form of its own', '1e999'],
    ['empty', ''],
    ['a date long past', 'Thu, 01 Jan 1970 00:00:00 GMT'],
    ['zero', '0'],
    ['given twice', ['0', '0']],
  ])('that is %s changes nothing', async (_, value) => {
    expect(summaryOf(await failover(limited(value)))).toEqual(fromBackup)
    expect(stage.hits).toEqual([3, 1, 0])
  })
})

describe("the provider's own advice", () => {
  it('not to repeat is followed, here and by clients', async () => {
    const answer = await failover({ status: 503, headers: { 'x-should-retry': 'false' } })
    expect(answer).toMatchObject({ status: 503, attempts: '1', shouldRetry: 'false' })
    expect(stage.hits).toEqual([1, 0, 0])
  })

  it('to repeat is followed for what would not be', async () => {
    stage.main.next({ status: 400, headers: { 'x-should-retry': 'true' } })
    expect(summaryOf(await ask(stage, 'openai', 'alone'))).toEqual(goodAnswer('main-model'))
    expect(stage.hits).toEqual([2, 0, 0])
  })

  it('to repeat for ever is followed six times', async () => {
    for (const provider of [stage.main, stage.backup, stage.third]) {
      provider.always({ status: 400, headers: { 'x-should-retry': 'true' } })
    }
    const answer = await ask(stage, 'openai', 'three')
    expect(answer).toMatchObject({ status: 400, attempts: '6', shouldRetry: 'false' })
    expect(stage.hits).toEqual([3, 3, 0])
  })
})

describe('an error', () => {
  it.each<[string, Behaviour]>([
    ['whose body never ends', { status: 503, fault: { kind: 'stall', at: { bytes: 10 } } }],
    ['whose body breaks', { status: 503, fault: { kind: 'reset', at: { bytes: 10 } } }],
    ['with a body of a megabyte', { status: 503, body: 'x'.repeat(1024 * 1024) }],
    ['without a body', { status: 503, body: '' }],
    [
      'in a form of its own',
      { status: 500, body: '<html>', headers: { 'content-type': 'text/html' } },
    ],
    [
      'that says it is compressed and is not',
      { status: 502, headers: { 'content-encoding': 'gzip' } },
    ],
  ])('%s is left at once', async (_, behaviour) => {
    expect(summaryOf(await failover(behaviour))).toEqual(fromBackup)
    expect(stage.hits).toEqual([3, 1, 0])
  })

  it('whose body never ends is not waited for without end when it is the last', async () => {
    stage.main.always({ status: 503, fault: { kind: 'stall', at: { bytes: 10 } } })
    const answer = await ask(stage, 'openai', 'alone')
    expect(answer).toMatchObject({ status: 503, shouldRetry: 'false', broken: true })
    expect(stage.hits).toEqual([3, 0, 0])
  })

  it('passes as it is, to the byte, when nothing better is to be had', async () => {
    const body = '{"error": {"message":  "no\\u0020", "odd": [1,2]}, "more":null}\n'
    stage.main.always({ status: 529, body, headers: { ...json, 'x-own': 'kept' } })
    const answer = await ask(stage, 'openai', 'alone')
    expect(answer).toMatchObject({ status: 529, text: body, attempts: '3', shouldRetry: 'false' })
    expect(answer.headers.get('x-own')).toBe('kept')
  })

  it('of the last upstream is the one that is told', async () => {
    stage.main.always({ status: 503 })
    stage.backup.always({ status: 404 })
    const answer = await ask(stage, 'openai', 'failover')
    expect(answer).toMatchObject({ status: 404, upstream: 'openai-backup', attempts: '4' })
    expect(stage.hits).toEqual([3, 1, 0])
  })
})

describe('what is no HTTP', () => {
  const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n'
  it.each<[string, string]>([
    ['a length of two minds', `${head}content-length: 2\r\ncontent-length: 3\r\n\r\n{}`],
    ['a negative length', `${head}content-length: -2\r\n\r\n{}`],
    [
      'a length beside chunks',
      `${head}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
    ],
    ['chunks of no size', `${head}transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`],
    ['a header that never ends', `${head}x: ${'y'.repeat(200_000)}`],
    [
      'a switch of protocols that nobody asked for',
      'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n',
    ],
    [
      'a switch of protocols that it insists on',
      'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n',
    ],
    ['another protocol', 'SSH-2.0-OpenSSH_9.9\r\n'],
    ['half a status line', 'HTTP/1.1 2'],
    ['nothing', ''],
    ['a status out of range', 'HTTP/1.1 42 What\r\ncontent-length: 0\r\n\r\n'],
  ])('(%s) is a failure like any other', async (_, raw) => {
    const answer = await failover({ raw })
    expect(summaryOf(answer)).toEqual(fromBackup)
    expect(stage.hits).toEqual([3, 1, 0])
  })

  it('(early hints without end) does not keep a request', async () => {
    const hints = 'HTTP/1.1 103 Early Hints\r\nlink: </a>; rel=preload\r\n\r\n'.repeat(500)
    const answer = await failover({ raw: hints, rawThen: 'keep-open' })
    expect(summaryOf(answer)).toEqual(fromBackup)
    expect(stage.main.hits).toBe(1)
  })

  it('(a second answer that nobody asked for) is given to no other request', async () => {
    const one = (model: string) => {
      const body = JSON.stringify({ model, choices: [] })
      return `${head}content-length: ${body.length}\r\n\r\n${body}`
    }
    stage.main.next({ raw: one('first') + one('smuggled'), rawThen: 'keep-open' })
    expect(summaryOf(await ask(stage, 'openai', 'alone')).model).toBe('first')
    for (let index = 0; index < 5; index += 1) {
      expect(summaryOf(await ask(stage, 'openai', 'alone')).model).toBe('main-model')
    }
  })
})

describe('a stream', () => {
  const streams = { stream: true } as const

  it('whose head alone came is repeated, however it ends', async () => {
    for (const kind of ['reset', 'close', 'stop'] as const) {
      stage.reset()
      const answer = await failover({ fault: { kind, at: 'after-headers' } }, streams)
      expect(summaryOf(answer)).toEqual(fromBackup)
      expect(stage.hits).toEqual([3, 1, 0])
    }
  })

  it('that breaks inside its first event is repeated', async () => {
    for (const kind of ['reset', 'stop'] as const) {
      stage.reset()
      const answer = await failover({ fault: { kind, at: { bytes: 40 } } }, streams)
      expect(summaryOf(answer)).toEqual(fromBackup)
      expect(stage.hits).toEqual([3, 1, 0])
    }
  })

  it('that breaks inside a later event ends with an error on a line of its own', async () => {
    const answer = await failover({ fault: { kind: 'reset', at: { bytes: 700 } } }, streams)
    const events = eventsOf(answer.text)
    expect(events.every((event) => typeof event === 'object')).toBe(true)
    expect(events.at(-1)).toMatchObject({ error: { code: 'stream_interrupted' } })
    expect(stage.hits).toEqual([1, 0, 0])
  })

  it('of comments only, which then stalls, ends with an error', async () => {
    const body = ': still working\n\n'.repeat(9)
    const answer = await failover({ headers: sse, body, fault: { kind: 'stall' } }, streams)
    expect(eventsOf(answer.text)).toMatchObject([{ error: { code: 'stream_idle' } }])
    expect(stage.hits).toEqual([1, 0, 0])
  })

  it('of a declared length has room for the error that ends it', async () => {
    const body = 'data: {"choices":[{"index":0,"delta":{"content":"half"}}]}\n\n'
    const answer = await failover({ headers: sse, body }, streams)
    expect(answer.headers.get('content-length')).toBeNull()
    expect(eventsOf(answer.text).at(-1)).toMatchObject({ error: { code: 'stream_truncated' } })
    expect(answer.broken).toBe(false)
    const finished = `${body}data: [DONE]\n\n`
    expect((await failover({ headers: sse, body: finished }, streams)).text).toBe(finished)
  })

  it('in the place of which comes JSON is that JSON', async () => {
    const answer = await failover(
      { headers: json, body: '{"model":"whole","choices":[]}' },
      streams,
    )
    expect(summaryOf(answer)).toEqual(goodAnswer('whole'))
    expect(stage.hits).toEqual([1, 0, 0])
  })

  it('that says [DONE] in its words only is no finished one', async () => {
    const event = {
      choices: [{ index: 0, delta: { content: 'data: [DONE]\n\n "finish_reason":"stop"' } }],
    }
    const body = `data: ${JSON.stringify(event)}\n\n`
    const answer = await failover({ headers: sse, body }, streams)
    expect(saysDone(answer.text)).toBe(false)
    expect(eventsOf(answer.text).at(-1)).toMatchObject({ error: { code: 'stream_truncated' } })
  })

  it('that goes on after [DONE] and breaks there has ended well', async () => {
    stage.main.always({ fault: { kind: 'reset', at: { events: 12 } } })
    const answer = await ask(stage, 'openai', 'failover', streams)
    expect(saysDone(answer.text)).toBe(true)
    expect(answer.text).not.toContain('"error"')
  })

  it('with an event of ten megabytes passes', async () => {
    const answer = await failover({ padFirstEvent: 10 * 1024 * 1024 }, streams)
    expect(answer.text.length).toBeGreaterThan(10 * 1024 * 1024)
    expect(saysDone(answer.text)).toBe(true)
    expect(stage.hits).toEqual([1, 0, 0])
  })

  it('that breaks inside an event of ten megabytes is a broken connection', async () => {
    const behaviour = {
      padFirstEvent: 10 * 1024 * 1024,
      fault: { kind: 'close', at: { bytes: 9 * 1024 * 1024 } },
    } as const
    const answer = await failover(behaviour, streams)
    expect(answer.broken).toBe(true)
    expect(saysDone(answer.text)).toBe(false)
  })

  it.each(['awkward', 1, 7] as const)('cut into pieces (%s) is the same stream', async (cut) => {
    const whole = await failover({}, streams)
    const pieces = await failover({ cut, lineEnd: '\r\n', comments: true }, streams)
    const events = (text: string) => JSON.stringify(eventsOf(text.replaceAll('\r\n', '\n')))
    expect(events(pieces.text)).toBe(events(whole.text))
    expect(pieces.attempts).toBe('1')
  })

  it('held back holds back nothing of a refusal by its status', async () => {
    stage.main.play('context-length')
    const answer = await ask(stage, 'openai', 'held', streams)
    expect(answer).toMatchObject({ status: 400, attempts: '1' })
    expect(stage.hits).toEqual([1, 0, 0])
  })

  it('held back and larger than can be kept is delivered, and breaks honestly', async () => {
    stage.main.always({
      padFirstEvent: 9 * 1024 * 1024,
      fault: { kind: 'close', at: { events: 5 } },
    })
    const answer = await ask(stage, 'openai', 'held', streams)
    expect(saysDone(answer.text)).toBe(false)
    const told = eventsOf(answer.text).at(-1)
    expect(told).toMatchObject({ error: { code: 'stream_interrupted' } })
    expect(stage.hits).toEqual([1, 0, 0])
  })
})

describe('a request', () => {
  const large = JSON.stringify({ ...bodyOf('openai', false), padding: 'x'.repeat(1_200_000) })
  const small = JSON.stringify({ ...bodyOf('openai', false), padding: 'x'.repeat(900_000) })

  it('that is too large to be kept is sent once', async () => {
    stage.main.play('server-error')
    const answer = await ask(stage, 'openai', 'failover', { body: large })
    expect(answer).toMatchObject({ status: 500, attempts: '1', shouldRetry: null })
    expect(stage.hits).toEqual([1, 0, 0])
    expect(stage.main.lastRequest.body.length).toBe(Buffer.byteLength(large))
  })

  it('that is large and can be kept is sent again whole', async () => {
    stage.main.play('reset-before-headers')
    const answer = await ask(stage, 'openai', 'alone', { body: small })
    expect(answer).toMatchObject({ status: 200, attempts: '2' })
    const digests = new Set(stage.main.requests.map((request) => request.sha256))
    expect(digests.size).toBe(1)
    expect(stage.main.lastRequest.body.length).toBe(Buffer.byteLength(small))
  })

  it('on a connection that the provider closed meanwhile reaches it all the same', async () => {
    for (let index = 0; index < 5; index += 1) {
      await ask(stage, 'openai', 'alone')
      await stage.main.die('refuse')
      await stage.main.recover()
      expect(await ask(stage, 'openai', 'alone')).toMatchObject({ status: 200 })
    }
  })

  it('among many, each with its own fate, gets its own answer', async () => {
    const faults = [
      'storm',
      'context-length',
      'marked',
      'server-error',
      'half-json',
      'content-filter',
    ]
    const calls = Array.from({ length: 60 }, async (_, index) => {
      const fault = faults[index % faults.length] ?? ''
      const model = `fault-${fault}@${index}`
      const body = JSON.stringify({ ...bodyOf('openai', false), model })
      return { fault, model, answer: await ask(stage, 'openai', 'alone', { body }) }
    })
    for (const { fault, model, answer } of await Promise.all(calls)) {
      const status = { storm: 503, 'context-length': 400 }[fault] ?? 200
      expect([fault, answer.status]).toEqual([fault, status])
      const tries = { storm: 3, 'server-error': 2, 'half-json': 2 }[fault] ?? 1
      expect([model, stage.main.hitsByModel[model]]).toEqual([model, tries])
    }
  })
})
