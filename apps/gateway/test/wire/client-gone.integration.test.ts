import {
  connectRaw,
  type Provider,
  type RawConnection,
  type RunningGateway,
  startProvider,
} from '@tidegate/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { chunk, get, head, post } from './http-text.ts'
import { gatewayTo } from './one-route.ts'

let provider: Provider
let gateway: RunningGateway
let ids = 0

beforeAll(async () => {
  provider = await startProvider()
  gateway = await gatewayTo(`${provider.url}/v1`, { protocol: 'openai' })
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
})
beforeEach(() => provider.reset())

const never = new Promise<never>(() => undefined)
const stream = JSON.stringify({ model: 'm', stream: true, messages: [] })

type Leave = (connection: RawConnection) => unknown
const ways: readonly (readonly [string, Leave])[] = [
  ['by a reset', (connection) => connection.reset()],
  ['by a close', (connection) => connection[Symbol.asyncDispose]()],
  ['by ending its side', (connection) => connection.halfClose()],
]

/** The lines that the gateway wrote for a request; one more is waited for if there is none yet. */
async function linesOf(id: string) {
  const isLine = ({ message, request_id }: Readonly<Record<string, unknown>>) =>
    message === 'request' && request_id === id
  await gateway.waitForLog(isLine)
  // Whatever else is written for it was written before the line of a later request.
  await fetch(`${gateway.url}/livez`, { headers: { 'x-request-id': `${id}-after` } })
  await gateway.waitForLog(({ request_id }) => request_id === `${id}-after`)
  return gateway.logs.filter(isLine)
}

function nextId(): string {
  ids += 1
  return `gone-${ids}`
}

describe.each(ways)('a client that leaves %s', (_, leave) => {
  it('before the answer cancels the upstream call at once', async () => {
    provider.next({ beforeHeaders: () => never })
    const id = nextId()
    await using connection = await connectRaw({ port: gateway.port })
    await connection.write(post('/v1/chat/completions', stream, `x-request-id: ${id}`))
    const seen = await provider.waitForRequest()
    await leave(connection)
    expect(await seen.closedEarly).not.toBeNull()
    expect(await linesOf(id)).toMatchObject([{ status_code: 499, outcome: 'client_gone' }])
  })

  it('in mid-stream cancels the upstream call at once', async () => {
    provider.next({ beforeEvent: (index) => (index === 3 ? never : undefined) })
    const id = nextId()
    await using connection = await connectRaw({ port: gateway.port })
    await connection.write(post('/v1/chat/completions', stream, `x-request-id: ${id}`))
    await connection.waitFor((received) => received.toString().split('\n\n').length > 3)
    await leave(connection)
    expect(await provider.lastRequest.closedEarly).not.toBeNull()
    const [line, ...more] = await linesOf(id)
    expect(line).toMatchObject({ status_code: 499, outcome: 'client_gone', route: '/**' })
    expect(line?.bytes_out).toBeGreaterThan(0)
    expect(more).toEqual([])
  })

  it('in the middle of a body cancels the upstream call at once', async () => {
    const id = nextId()
    await using connection = await connectRaw({ port: gateway.port })
    await connection.write(get('/v1/bytes/60000000', `x-request-id: ${id}`))
    await connection.waitFor((received) => received.length > 1000)
    connection.pause()
    // The answer's rest waits in the kernel's buffers and in ours: nothing moves when it leaves.
    for (let i = 0; i < 20; i += 1) await fetch(`${gateway.url}/livez`)
    await leave(connection)
    expect(await provider.lastRequest.closedEarly).not.toBeNull()
    expect(await linesOf(id)).toMatchObject([{ status_code: 499 }])
  })

  it('in the middle of its upload cancels the upstream call at once', async () => {
    const id = nextId()
    await using connection = await connectRaw({ port: gateway.port })
    const fields = ['transfer-encoding: chunked', `x-request-id: ${id}`]
    await connection.write(head('POST /v1/files', ...fields) + chunk('the first part'))
    const seen = await provider.waitForRequest()
    await leave(connection)
    expect(await seen.bodyEnded).toBe(false)
    expect(await linesOf(id)).toMatchObject([{ status_code: 499 }])
  })

  it('before its body was read never troubles the upstream', async () => {
    const id = nextId()
    await using connection = await connectRaw({ port: gateway.port })
    const fields = ['content-length: 500', `x-request-id: ${id}`]
    await connection.write(`${head('POST /v1/files', ...fields)}the first part`)
    // Nothing tells when the gateway has the head, but what comes after it on another connection.
    await fetch(`${gateway.url}/livez`)
    await leave(connection)
    expect(await linesOf(id)).toMatchObject([{ status_code: 499 }])
    expect(provider.hits).toBe(0)
  })
})

describe('a client that leaves', () => {
  it('has its real duration logged', async () => {
    provider.next({ beforeHeaders: () => never })
    const id = nextId()
    const startedAt = performance.now()
    await using connection = await connectRaw({ port: gateway.port })
    await connection.write(get('/v1/models', `x-request-id: ${id}`))
    await provider.waitForRequest()
    for (let i = 0; i < 20; i += 1) await fetch(`${gateway.url}/livez`)
    const waited = performance.now() - startedAt
    connection.reset()
    const [line] = await linesOf(id)
    expect(line?.duration_ms).toBeGreaterThan(waited / 4)
    expect(line?.duration_ms).toBeLessThan(performance.now() - startedAt)
  })

  it('before the upstream was even connected leaves nothing behind', async () => {
    const id = nextId()
    await using connection = await connectRaw({ port: gateway.port })
    await connection.write(get('/v1/models', `x-request-id: ${id}`))
    connection.reset()
    expect(await linesOf(id)).toHaveLength(1)
    const health = await fetch(`${gateway.url}/health/up`)
    expect(await health.json()).toMatchObject({ pending: 0 })
  })

  it('while others pipelined behind it cancels them all', async () => {
    provider.next({ beforeHeaders: () => never }, { beforeHeaders: () => never })
    await using connection = await connectRaw({ port: gateway.port })
    await connection.write(get('/v1/models') + get('/v1/models'))
    const both = [await provider.waitForRequest(0), await provider.waitForRequest(1)]
    connection.reset()
    for (const seen of both) expect(await seen.closedEarly).not.toBeNull()
    const health = await fetch(`${gateway.url}/health/up`)
    expect(await health.json()).toMatchObject({ pending: 0 })
  })

  it('does not harm the next one', async () => {
    const answer = await fetch(`${gateway.url}/v1/models`)
    expect(answer.status).toBe(200)
  })
})
