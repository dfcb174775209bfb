import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { finished } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Lease } from '@tidegate/rate-limit'
import { clientKey, denialOf, rateLimitHeaders } from '@tidegate/rate-limit/http'
import { clientAddress, proxiesOf } from './client-address.ts'
import { type Limits, SLOT_TTL_MS } from './limits.ts'

export interface User {
  readonly id: string
  readonly tier: 'free' | 'pro'
}

export interface AppParts {
  readonly limiter: Limits['limiter']
  /** Who has which key. */
  readonly users: ReadonlyMap<string, User>
  readonly trustedProxies: readonly string[]
  /** Makes a story, piece by piece, as long as somebody listens. */
  readonly tell: (signal: AbortSignal) => AsyncIterable<string>
}

/** A service that tells stories in streams, of which everyone may have a few at a time. */
export function createApp({ limiter, users, trustedProxies, tell }: AppParts): Server {
  const proxies = proxiesOf(trustedProxies)

  /** Users are limited by their tier, everybody else by address. */
  function ask(request: IncomingMessage) {
    const user = users.get(`${request.headers['x-api-key'] ?? ''}`)
    return user === undefined
      ? limiter.acquire(`address:${clientKey(clientAddress(request, proxies))}`, [
          'requests',
          'free-streams',
        ])
      : limiter.acquire(`user:${user.id}`, ['requests', `${user.tier}-streams`])
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const admission = await ask(request)
    if (!admission.allowed) {
      const { status, headers, body } = denialOf(admission, { instance: request.url })
      response.writeHead(status, headers).end(JSON.stringify(body))
      return
    }
    const headers = rateLimitHeaders(admission)
    response.writeHead(200, { ...headers, 'content-type': 'text/plain; charset=utf-8' })
    await pipeline(tell(hold(admission.lease, response)), response)
  }

  return createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (response.destroyed) return // the client left, or the story broke off, as it can see
      console.error(error)
      response.writeHead(500).end()
    })
  })
}

/**
 * Holds the slot while the response lasts: renewed in good time, and free when the last byte was handed over
 * or the client has left. It doesn't wait for what makes the story, which may hang: the signal stops that.
 */
function hold(lease: Lease, response: ServerResponse): AbortSignal {
  const over = new AbortController()
  const heartbeat = setInterval(() => void lease.renew(), SLOT_TTL_MS / 3)
  finished(response, () => {
    clearInterval(heartbeat)
    over.abort()
    void lease.release()
  })
  return over.signal
}
