import { once } from 'node:events'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer, json } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createMemoryReplayStore } from './replay-store.ts'
import {
  createWebhookSigner,
  createWebhookVerifier,
  generateWebhookSecret,
} from './standard-webhooks.ts'

const secrets = generateWebhookSecret()
const signer = createWebhookSigner({ secrets })
const verifier = createWebhookVerifier({ secrets, replayStore: createMemoryReplayStore() })
const body = Buffer.from([0x7b, 0xff, 0x00, 0x7d])

let server: Server
let port: number

beforeAll(async () => {
  server = createServer(async (incoming, outgoing) => {
    const result = await verifier.verify(incoming.headers, await buffer(incoming))
    outgoing.end(JSON.stringify(result))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
})

afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
})

/** Sends headers just as they are listed, twice where they stand there twice. */
async function post(headers: readonly (readonly [string, string])[], sent: Uint8Array = body) {
  const outgoing = request({ port, host: '127.0.0.1', method: 'POST', headers: headers.flat() })
  outgoing.end(sent)
  const [incoming] = await once(outgoing, 'response')
  return await json(incoming)
}

function signed(): [string, string][] {
  return [['Host', 'here'], ...Object.entries(signer.sign({ body }))]
}

describe('createWebhookVerifier behind node:http', () => {
  it('takes a signed delivery of bytes once', async () => {
    const headers = signed()
    expect(await post(headers)).toMatchObject({ ok: true, id: headers[1]?.[1] })
    expect(await post(headers)).toEqual({ ok: false, reason: 'replayed' })
  })

  it('takes what fetch sends', async () => {
    const headers = { ...signer.sign({ body }) }
    const response = await fetch(`http://127.0.0.1:${port}`, { method: 'POST', headers, body })
    expect(await response.json()).toMatchObject({ ok: true })
  })

  it.each([
    ['webhook-id', 'bad_id'],
    ['webhook-timestamp', 'bad_timestamp'],
  ])('refuses a second %s', async (name, reason) => {
    const headers = signed()
    const second = headers.filter(([given]) => given === name)
    expect(second).toHaveLength(1)
    expect(await post([...headers, ...second])).toEqual({ ok: false, reason })
  })

  it('refuses another body and no body', async () => {
    expect(await post(signed(), Buffer.from('{}'))).toEqual({ ok: false, reason: 'no_match' })
    expect(await post(signed(), Buffer.alloc(0))).toEqual({ ok: false, reason: 'no_match' })
  })
})
