import {
  freePort,
  type RunningGateway,
  rawUpstream,
  startWebSocketUpstream,
  type WebSocketUpstream,
} from '@tidegate/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { closeOf, nextMessage, openSocket, refusalOf } from '../websocket/open-socket.ts'
import { gatewayOf, healthOf, type UpstreamHealth } from './gateway-of.ts'

let live: WebSocketUpstream

beforeAll(async () => {
  live = await startWebSocketUpstream()
})
afterAll(async () => await live[Symbol.asyncDispose]())

const socketUrl = ({ url }: RunningGateway) => `${url.replace('http', 'ws')}/echo`

function at(...urls: readonly string[]) {
  return {
    protocol: 'http',
    endpoints: urls.map((url) => ({ url })),
    timeouts: { connect: '500ms', firstByte: '400ms' },
  }
}

async function deadUrl(): Promise<string> {
  return `http://127.0.0.1:${await freePort()}`
}

/** Opens a socket, has something echoed, and closes it. */
async function talk(gateway: RunningGateway): Promise<void> {
  const client = await openSocket(socketUrl(gateway))
  const echo = nextMessage(client)
  client.send('ahoy')
  expect((await echo).data.toString()).toBe('ahoy')
  const closed = closeOf(client)
  client.close(1000)
  expect((await closed).code).toBe(1000)
}

describe('a WebSocket’s handshake', () => {
  it('goes to another endpoint when one refuses connections', async () => {
    await using gateway = await gatewayOf({ up: at(await deadUrl(), live.url) })
    const before = live.handshakes.length
    for (let i = 0; i < 10; i += 1) await talk(gateway)
    expect(live.handshakes.length).toBe(before + 10)
    const { endpoints } = await healthOf<UpstreamHealth>(gateway, 'up')
    // Drawn by chance: it was met now and then, and left alone after five times.
    expect(Number(endpoints[0]?.failed)).toBeLessThanOrEqual(5)
  })

  it('goes to the next upstream when all endpoints of the first are gone', async () => {
    await using gateway = await gatewayOf({ first: at(await deadUrl()), second: at(live.url) })
    const before = live.handshakes.length
    await talk(gateway)
    expect(live.handshakes.length).toBe(before + 1)
    expect(await healthOf<UpstreamHealth>(gateway, 'first')).toMatchObject({ failed: 1 })
  })

  it('goes on when an endpoint is silent', async () => {
    await using silent = await rawUpstream({ reply: null })
    await using gateway = await gatewayOf({ first: at(silent.url), second: at(live.url) })
    await talk(gateway)
    expect(silent.requests).toHaveLength(1)
    expect(await healthOf<UpstreamHealth>(gateway, 'first')).toMatchObject({
      ...{ attempts: 1, failed: 1, last_failure: 'upstream_timeout' },
    })
  })

  it('is given up when the time for the whole is over', async () => {
    await using silent = await rawUpstream({ reply: null })
    await using mute = await rawUpstream({ reply: null })
    const brief = { timeouts: { firstByte: '200ms', total: '300ms' } }
    await using gateway = await gatewayOf({
      first: { ...at(silent.url, mute.url), ...brief },
      second: at(live.url),
    })
    const before = live.handshakes.length
    const { status, body } = await refusalOf(socketUrl(gateway))
    expect([status, JSON.parse(body)]).toMatchObject([504, { code: 'deadline_exceeded' }])
    expect(live.handshakes.length).toBe(before)
  })

  it('is told what the last one failed with', async () => {
    await using gateway = await gatewayOf({ up: at(await deadUrl(), await deadUrl()) })
    const { status, body } = await refusalOf(socketUrl(gateway))
    expect([status, JSON.parse(body)]).toMatchObject([502, { code: 'upstream_unreachable' }])
  })

  it('gets an answer that refuses it as it is, from the first that gives one', async () => {
    await using refusing = await rawUpstream({
      reply: 'HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno',
    })
    await using gateway = await gatewayOf({ first: at(refusing.url), second: at(live.url) })
    const before = live.handshakes.length
    expect(await refusalOf(socketUrl(gateway))).toMatchObject({ status: 403, body: 'no' })
    expect(refusing.requests).toHaveLength(1)
    expect(live.handshakes.length).toBe(before)
  })

  it('is sent nowhere else when the client has left', async () => {
    await using silent = await rawUpstream({ reply: null })
    await using gateway = await gatewayOf({
      first: { ...at(silent.url), timeouts: { firstByte: '10s' } },
      second: at(live.url),
    })
    const before = live.handshakes.length
    const client = new WebSocket(socketUrl(gateway))
    client.on('error', () => undefined)
    const connection = await silent.waitForConnection()
    client.terminate()
    await connection.ended
    expect(live.handshakes.length).toBe(before)
    const { endpoints } = await healthOf<UpstreamHealth>(gateway, 'first')
    expect(endpoints[0]).toMatchObject({ breaker: 'closed', failed: 0 })
  })
})
