import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ask, bodyOf, eventsOf, goodAnswer, saysDone, summaryOf, upstreamHealth } from './asking.ts'
import { protocols, type Stage, startStage } from './stage.ts'

let stage: Stage
beforeAll(async () => {
  stage = await startStage()
})
beforeEach(() => stage.reset())
afterAll(async () => await stage[Symbol.asyncDispose]())

const path = { openai: '/v1/chat/completions', anthropic: '/v1/messages' } as const

/** The stream as the provider sends it. */
async function direct(protocol: (typeof protocols)[number]): Promise<string> {
  const body = JSON.stringify(bodyOf(protocol, true))
  const response = await fetch(stage.main.url + path[protocol], { method: 'POST', body })
  return await response.text()
}

/** Each way in which a stream can break after its first event, and how it is told. */
const breaks = [
  ['stall', 'stream_idle'],
  ['cut', 'stream_interrupted'],
  ['truncated', 'stream_truncated'],
] as const

describe.each(protocols)('%s: a stream that breaks', (protocol) => {
  it.each(breaks)('(%s) ends with an honest error and is not begun anew', async (fault, code) => {
    stage.main.play(fault)
    const answer = await ask(stage, protocol, 'failover', { stream: true })
    expect(answer.status).toBe(200)
    expect(saysDone(answer.text)).toBe(false)
    const events = eventsOf(answer.text)
    const last = events.at(-1)
    expect(last).toMatchObject({ error: { message: expect.any(String) }, request_id: answer.id })
    expect(answer.text.slice(0, -JSON.stringify(last).length)).toContain('Tides')
    const facts = { events: events.length - 1, bytes: expect.any(Number) }
    expect(last).toMatchObject({ delivered: facts, retry_safe: true })
    if (protocol === 'openai') expect(last).toMatchObject({ error: { code } })
    else expect(last).toMatchObject({ type: 'error', error: { type: 'api_error' } })
    expect(stage.hits).toEqual([1, 0, 0])
    const line = await stage.gateway.waitForLog(
      (record) => record.request_id === answer.id && record.message === 'request',
    )
    expect(line).toMatchObject({ outcome: 'upstream_broken', error_code: code })
  })

  it.each(breaks)('(%s) begins anew elsewhere when it is held back', async (fault) => {
    stage.main.play(fault)
    const answer = await ask(stage, protocol, 'held', { stream: true })
    expect(summaryOf(answer)).toEqual(goodAnswer('backup-model'))
    expect(saysDone(answer.text)).toBe(true)
    expect(answer.text).not.toContain('main-model')
    expect(answer.upstream).toBe(`${protocol}-backup`)
    const again = fault === 'stall' ? 1 : 3
    expect(stage.hits).toEqual([again, 1, 0])
    expect(answer.attempts).toBe(String(again + 1))
  })

  it('(held back, and broken everywhere) is an error and never half a stream', async () => {
    for (const provider of [stage.main, stage.backup]) provider.play('truncated')
    const answer = await ask(stage, protocol, 'held', { stream: true })
    expect(answer).toMatchObject({ status: 502, attempts: '6', shouldRetry: 'false' })
    expect(answer.text).not.toContain('Tides')
    expect(stage.hits).toEqual([3, 3, 0])
  })

  it("passes the upstream's own error event on and adds none", async () => {
    stage.main.play('error-event')
    const answer = await ask(stage, protocol, 'failover', { stream: true })
    const errors = eventsOf(answer.text).filter((event) =>
      JSON.stringify(event).includes('"error"'),
    )
    expect(errors).toHaveLength(1)
    expect(JSON.stringify(errors)).toMatch(/overloaded|server_error/)
    expect(saysDone(answer.text)).toBe(false)
    expect(stage.hits).toEqual([1, 0, 0])
  })

  it('by an error event before any content is repeated', async () => {
    stage.main.next({ fault: { kind: 'error-event', at: { events: 0 } } })
    const answer = await ask(stage, protocol, 'failover', { stream: true })
    expect(summaryOf(answer)).toEqual(goodAnswer('main-model'))
    expect(stage.hits).toEqual([2, 0, 0])
  })
})

describe.each(protocols)('%s: a stream that is odd but whole', (protocol) => {
  it('passes with its malformed event, which is counted', async () => {
    stage.main.play('malformed-event')
    const before = await upstreamHealth(stage, `${protocol}-main`)
    const wanted = await direct(protocol)
    stage.main.play('malformed-event')
    const answer = await ask(stage, protocol, 'failover', { stream: true })
    expect(answer.text).toBe(wanted)
    expect(answer).toMatchObject({ broken: false, attempts: '1' })
    expect(saysDone(answer.text)).toBe(true)
    const counted = (health: unknown) =>
      JSON.stringify(health).match(/"malformed_events":(\d+)/)?.[1]
    const after = await upstreamHealth(stage, `${protocol}-main`)
    expect(Number(counted(after))).toBe(Number(counted(before)) + 1)
  })

  it('without its last marker is taken for what its protocol says it is', async () => {
    stage.main.play('no-done')
    const answer = await ask(stage, protocol, 'failover', { stream: true })
    expect(stage.hits).toEqual([1, 0, 0])
    expect(saysDone(answer.text)).toBe(false)
    if (protocol === 'openai') {
      stage.main.play('no-done')
      expect(answer.text).toBe(await direct(protocol))
      expect(answer.text).toContain('"completion_tokens":13')
      expect(answer.text).not.toContain('"error"')
    } else {
      expect(eventsOf(answer.text).at(-1)).toMatchObject({ type: 'error' })
    }
  })
})

describe.each(protocols)("%s: an answer that is the client's to deal with", (protocol) => {
  it.each([
    ['context-length', 400],
    ['content-filter-400', 400],
  ])('(%s) is passed on as it is and never sent again', async (fault, status) => {
    stage.main.play(fault)
    const wanted = await fetch(stage.main.url + path[protocol], {
      method: 'POST',
      body: JSON.stringify(bodyOf(protocol, false)),
    })
    const error = ((await wanted.json()) as Record<string, unknown>).error
    stage.reset()
    stage.main.play(fault)
    const answer = await ask(stage, protocol, 'failover')
    expect(answer).toMatchObject({ status, attempts: '1', upstream: `${protocol}-main` })
    expect(JSON.parse(answer.text)).toMatchObject({ error })
    expect(stage.hits).toEqual([1, 0, 0])
  })

  it.each([false, true])('(refusal) is no failure, streamed: %s', async (stream) => {
    stage.main.play('content-filter')
    const answer = await ask(stage, protocol, 'held', { stream })
    expect(summaryOf(answer)).toEqual(goodAnswer('main-model'))
    expect(answer.text).toMatch(/"(finish_reason":"content_filter|stop_reason":"refusal)"/)
    expect(stage.hits).toEqual([1, 0, 0])
  })

  it.each([401, 403, 404, 413, 422, 501, 505])('(%d) is never sent again', async (status) => {
    stage.main.always({ status })
    const answer = await ask(stage, protocol, 'failover')
    expect(answer).toMatchObject({ status, attempts: '1', shouldRetry: null })
    expect(stage.hits).toEqual([1, 0, 0])
  })
})

describe.each(protocols)('%s: half a JSON body', (protocol) => {
  it.each(['half-json:always', 'half-json-clean:always'])(
    '(%s) is never a success',
    async (fault) => {
      stage.main.play(fault)
      const answer = await ask(stage, protocol, 'alone')
      expect(answer).toMatchObject({ status: 502, attempts: '3', shouldRetry: 'false' })
      expect(JSON.parse(answer.text)).toHaveProperty('error')
      expect(answer.text).not.toContain('main-model')
      expect(stage.hits).toEqual([3, 0, 0])
    },
  )

  it('is left for another upstream', async () => {
    stage.main.play('half-json-clean:always')
    const answer = await ask(stage, protocol, 'failover')
    expect(summaryOf(answer)).toEqual(goodAnswer('backup-model'))
    expect(stage.hits).toEqual([3, 1, 0])
  })

  it.each([
    ['in chunks', { framing: 'chunked', cut: 20, fault: { kind: 'stop' } }],
    ['until the connection ends', { framing: 'close', fault: { kind: 'close' } }],
    ['that ends like a whole one', { json: undefined, body: '{"choices":[{"index":0}' }],
    ['that lacks its last brace', { body: '{"choices":[{"index":0}]' }],
    ['that ends inside a string', { body: '{"choices":[{"text":"}' }],
  ] as const)('%s is never a success', async (_, behaviour) => {
    const headers = { 'content-type': 'application/json' }
    stage.main.always('body' in behaviour ? { ...behaviour, headers } : behaviour)
    const answer = await ask(stage, protocol, 'failover')
    expect(summaryOf(answer)).toEqual(goodAnswer('backup-model'))
    expect(stage.hits).toEqual([3, 1, 0])
  })
})

describe.each(protocols)('%s: the answer of a fallback', (protocol) => {
  it.each([false, true])('has its own model and usage, streamed: %s', async (stream) => {
    stage.main.play('storm')
    const { text, upstream } = await ask(stage, protocol, 'failover', { stream })
    expect(upstream).toBe(`${protocol}-backup`)
    expect(text).toContain('"model":"backup-model"')
    expect(text).not.toContain('main-model')
    expect(text).toMatch(/"(prompt|input)_tokens":17/)
    expect(text).toMatch(/"(completion|output)_tokens":19/)
  })
})
