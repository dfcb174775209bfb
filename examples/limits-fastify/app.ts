import { type Decision, NeverAllowedError } from '@tidegate/rate-limit'
import {
  clientKey,
  denialOf,
  type HeaderOptions,
  rateLimitHeaders,
} from '@tidegate/rate-limit/http'
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import type { Limits } from './limits.ts'
import type { Model } from './model.ts'

export interface User {
  readonly id: string
  readonly tier: 'free' | 'pro'
}

export interface AppParts {
  readonly limiter: Limits['limiter']
  /** Who has which key. */
  readonly users: ReadonlyMap<string, User>
  readonly trustedProxies: readonly string[]
  readonly model: Model
}

interface Question {
  readonly prompt: string
  readonly max_tokens: number
}

const body = {
  type: 'object',
  required: ['prompt'],
  properties: {
    prompt: { type: 'string', minLength: 1 },
    max_tokens: { type: 'integer', minimum: 1, maximum: 1_000_000, default: 200 },
  },
}

const headers: HeaderOptions = { forms: ['draft', 'openai', 'retry-after', 'retry-after-ms'] }

/** A service that has a language model answer questions. */
export function createApp({ limiter, users, trustedProxies, model }: AppParts): FastifyInstance {
  // Named, never `true`: then whoever calls could write an address of its choice in X-Forwarded-For.
  const app = fastify({ trustProxy: [...trustedProxies] })

  // More than the budget ever holds is refused before anything is asked or charged.
  app.setErrorHandler((error, request, reply) =>
    error instanceof NeverAllowedError ? deny(request, reply, error) : reply.send(error),
  )

  app.post<{ Body: Question }>('/answers', { schema: { body } }, async (request, reply) => {
    const address = `address:${clientKey(request.ip)}`
    const user = users.get(request.headers.authorization?.replace(/^Bearer /i, '') ?? '')
    if (user === undefined) {
      const attempt = await limiter.check('address', address)
      if (!attempt.allowed) return deny(request, reply, attempt)
      return reply.code(401).headers(rateLimitHeaders(attempt, headers)).send({ error: 'no key' })
    }

    // What an answer costs is known afterwards. Until then the most it may cost is reserved.
    const { prompt, max_tokens: maxTokens } = request.body
    const cost = Math.ceil(prompt.length / 4) + maxTokens
    const { id, tier } = user
    const admission = await limiter.acquireAll([
      { subject: address, requests: 'address' },
      { subject: `user:${id}`, requests: [`${tier}-requests`, { policy: `${tier}-tokens`, cost }] },
    ])
    if (!admission.allowed) return deny(request, reply, admission)
    reply.headers(rateLimitHeaders(admission, headers))
    try {
      const { text, tokens } = await model(prompt, { maxTokens, signal: goneSignal(reply) })
      await admission.lease.settle(tokens)
      return { text, tokens }
    } catch (error) {
      await admission.lease.refund() // nobody got an answer
      throw error
    }
  })
  return app
}

function deny(request: FastifyRequest, reply: FastifyReply, told: Decision | NeverAllowedError) {
  const denial = denialOf(told, { headers, instance: request.url, requestId: request.id })
  return reply.code(denial.status).headers(denial.headers).send(denial.body)
}

/** Aborted when the client leaves. */
function goneSignal({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController()
  if (raw.destroyed) gone.abort()
  raw.once('close', () => gone.abort())
  return gone.signal
}
