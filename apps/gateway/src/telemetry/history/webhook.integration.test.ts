import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { Secret } from '@tidegate/config'
import { createLogger } from '@tidegate/logger'
import { pollUntil } from '@tidegate/testkit'
import { describe, expect, it } from 'vitest'
import { Webhook } from './webhook.ts'

const key = Buffer.alloc(32, 7)
const secret = new Secret(`whsec_${key.toString('base64')}`)

interface Delivery {
  readonly url: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

type Answer = number | 'hang' | 'endless'

/** A receiver that answers in turn, the last answer for ever. */
async function receiver(...answers: readonly Answer[]) {
  const deliveries: Delivery[] = []
  const server = createServer(async (request, response) => {
    const { url, headers } = request
    const body = await text(request)
    reply(response, answers[Math.min(deliveries.length, answers.length - 1)] ?? 200)
    deliveries.push({ url, headers, body })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const lines: Record<string, unknown>[] = []
  const waits: number[] = []
  const webhook = (more: { allowPrivate?: boolean; wait?: () => Promise<void> } = {}) =>
    new Webhook({
      settings: {
        url: `http://127.0.0.1:${port}/hook?token=CANARY`,
        secret,
        allowPrivate: more.allowPrivate ?? true,
      },
      logger: createLogger({
        level: 'debug',
        destination: { write: (line) => void lines.push(JSON.parse(line)) },
      }),
      random: () => 1,
      wait:
        more.wait ??
        (async (ms) => {
          waits.push(ms)
        }),
    })
  return {
    ...{ deliveries, lines, waits, webhook },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

function reply(response: ServerResponse, answer: Answer): void {
  if (answer === 'hang') return
  if (typeof answer === 'number') {
    response.writeHead(answer, { location: 'http://127.0.0.1:1/' }).end('thanks')
    return
  }
  response.writeHead(200).write('x'.repeat(1_000))
}

const event = (n: number) => ({ type: 'anomaly.begun', data: { n } })

const emptied = (webhook: Webhook) =>
  pollUntil(async () => webhook.waiting === 0, { describe: () => `${webhook.waiting} wait` })

describe('Webhook', () => {
  it('posts what anybody with the secret can verify', async () => {
    await using at = await receiver(204)
    const webhook = at.webhook()
    webhook.send(event(1))
    await emptied(webhook)
    const { url, headers = {}, body = '' } = at.deliveries[0] ?? {}
    const { 'webhook-id': id, 'webhook-timestamp': timestamp } = headers
    const signed = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')
    expect(headers['webhook-signature']).toBe(`v1,${signed}`)
    expect(url).toBe('/hook?token=CANARY')
    expect(JSON.parse(body)).toEqual({
      type: 'anomaly.begun',
      timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
      data: { n: 1 },
    })
    await webhook.close()
  })

  it('sends again, longer and longer apart, under the same id, and keeps the order', async () => {
    await using at = await receiver(500, 302, 429, 200)
    const webhook = at.webhook()
    webhook.send(event(1))
    webhook.send(event(2))
    await emptied(webhook)
    expect(at.deliveries.map(({ body }) => JSON.parse(body).data.n)).toEqual([1, 1, 1, 1, 2])
    expect(new Set(at.deliveries.map(({ headers }) => headers['webhook-id'])).size).toBe(2)
    expect(at.waits).toEqual([5_000, 15_000, 45_000])
    await webhook.close()
  })

  it('gives up one that is refused for long, and one that is gone at once, and says no secret', async () => {
    await using at = await receiver(...Array<Answer>(8).fill(503), 410, 200)
    const webhook = at.webhook()
    for (const n of [1, 2, 3]) webhook.send(event(n))
    await emptied(webhook)
    expect(at.deliveries.map(({ body }) => JSON.parse(body).data.n)).toEqual([
      ...Array(8).fill(1),
      ...[2, 3],
    ])
    expect(Math.max(...at.waits)).toBe(300_000)
    const given = at.lines.filter(({ message, msg }) => (message ?? msg) === 'webhook given up')
    expect(given.map(({ status }) => status)).toEqual([503, 410])
    expect(JSON.stringify(at.lines)).not.toMatch(/CANARY|whsec_/)
    await webhook.close()
  })

  it('connects to no private address unless it may', async () => {
    await using at = await receiver(200)
    const webhook = at.webhook({ allowPrivate: false })
    webhook.send(event(1))
    await emptied(webhook)
    expect(at.deliveries).toEqual([])
    expect(JSON.stringify(at.lines.at(-1))).toContain('egress_denied')
    await webhook.close()
  })

  it('does not wait for an answer that never ends', async () => {
    await using at = await receiver('endless', 200)
    const webhook = at.webhook()
    webhook.send(event(1))
    webhook.send(event(2))
    await emptied(webhook)
    expect(at.deliveries).toHaveLength(2)
    await webhook.close()
  })

  it('keeps a hundred while nobody takes them, the latest, and closes at once', async () => {
    await using at = await receiver('hang')
    const webhook = at.webhook()
    for (let n = 1; n <= 250; n += 1) webhook.send(event(n))
    expect(webhook.waiting).toBe(100)
    await pollUntil(async () => at.deliveries.length === 1, { describe: () => 'nothing came' })
    await webhook.close()
    expect(at.deliveries).toHaveLength(1)
    const dropped = at.lines.map(({ dropped: count }) => Number(count ?? 0))
    expect(dropped.reduce((sum, count) => sum + count, 0)).toBe(250)
  })

  it('closes while it waits to send again', async () => {
    await using at = await receiver(500)
    const waiting = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    const webhook = at.webhook({
      wait: () => {
        begun.resolve()
        return waiting.promise
      },
    })
    webhook.send(event(1))
    await begun.promise
    const closed = webhook.close()
    waiting.reject(new Error('aborted'))
    await closed
    expect(at.deliveries).toHaveLength(1)
  })
})
