import type { Recordings } from '@tidegate/events'
import type { Context, Handler } from 'hono'
import type { AnswerHead } from '../answers/answer-head.ts'
import { joinAnswer } from '../answers/join.ts'
import type { Outbound } from '../answers/outbound.ts'
import { type Answered, serveFrom } from '../answers/serve.ts'
import type { GatewayEnv } from '../env.ts'
import { bodyLength, wholeBody } from '../handlers/body.ts'
import { GatewayError } from '../problems.ts'
import { step } from '../telemetry/tracing/step.ts'
import { wishesOf } from './cache-control.ts'
import { CachedAnswers } from './cached-answers.ts'
import { Recogniser } from './recogniser.ts'
import type { ResponseCache } from './response-cache.ts'
import type { RouteCounts } from './route-counts.ts'
import type { Warmer } from './warmer.ts'

/** What a route that keeps or shares answers is built with. */
export interface AnswerStageParts {
  readonly outbound: Outbound
  /** Calls that are under way. */
  readonly recordings: Recordings<AnswerHead>
  /** Absent: the route keeps nothing. */
  readonly kept: ResponseCache | undefined
  readonly warmer: Warmer | undefined
  readonly counts: RouteCounts
}

/** A route's answers that others may have, too. */
export interface AnswerStage {
  /**
   * Finds or makes such an answer, which is wanted also when the client has left; `undefined`: the request needs
   * a call of its own.
   */
  find(
    c: Context<GatewayEnv>,
    body: Buffer | null,
  ): Answered | undefined | Promise<Answered | undefined>
  /** The end of the route; `end` carries on what needs a call of its own. */
  handler(end: Handler<GatewayEnv>): Handler<GatewayEnv>
}

/** Keeps and shares the answers of a route, as far as it is set to. */
export function answerStage(parts: AnswerStageParts): AnswerStage {
  const { outbound, recordings, kept, warmer, counts } = parts
  const { cache: settings, coalesce } = outbound.route
  const recogniser = new Recogniser(outbound.route)
  const answers =
    kept === undefined || settings === undefined
      ? undefined
      : new CachedAnswers({
          ...{ outbound, kept, counts, recogniser, settings },
          remembers: warmer?.remembers ?? false,
        })
  warmer?.add(outbound.route.match, answers)
  const options = { shared: coalesce?.cluster ?? false }

  const share = async (
    c: Context<GatewayEnv>,
    body: Buffer | null,
    key: string,
  ): Promise<Answered> => {
    const answered = await joinAnswer(c, outbound, body, recordings, `answer ${key}`, options)
    counts.count(answered.how.cache ?? 'miss')
    return answered
  }

  const find = (
    c: Context<GatewayEnv>,
    body: Buffer | null,
    persists: boolean,
    sharers = recogniser.sharers(c),
  ): ReturnType<AnswerStage['find']> => {
    const content = body?.length === 0 ? null : body
    const recognised = recogniser.recognise(c, content, sharers)
    if (recognised === undefined) return undefined
    if (answers !== undefined && recognised.reuse === 'keep') {
      return answers.find(c, content, recognised, persists)
    }
    return coalesce === undefined ? undefined : share(c, content, recognised.key)
  }

  return {
    find: (c, body) => (isUnwilling(c) ? undefined : find(c, body, true)),
    handler: (end) => (c, next) => {
      if (c.env.incoming.upgraded !== undefined) return end(c, next)
      const pass = (): ReturnType<typeof end> => {
        if (answers !== undefined) refuseIfCachedOnly(c)
        counts.count('bypass')
        c.get('exchange').headers.push('x-tidegate-cache', 'bypass')
        c.set('served', { cache: 'bypass', shared: false })
        return end(c, next)
      }
      const sharers = isUnwilling(c) ? undefined : recogniser.sharers(c)
      if (sharers === undefined) return pass()
      return withBody(c, outbound, async (body) => {
        const found = step(c, 'cache', () => find(c, body, false, sharers))
        const first = found instanceof Promise ? await found : found
        if (first === undefined) return await pass()
        let known: Answered | undefined = first
        return await serveFrom(c, outbound, async () => {
          const answered = known ?? (await find(c, body, false, sharers))
          known = undefined
          if (answered === undefined) throw new Error('What was recognised once is recognised.')
          return answered
        })
      })
    },
  }
}

/** Whether the client wants nothing of it kept. */
function isUnwilling(c: Context<GatewayEnv>): boolean {
  const said = c.env.incoming.headers['cache-control']
  return said !== undefined && wishesOf(said).noStore
}

/** Nothing is kept of requests that nobody else may have the answers of. */
function refuseIfCachedOnly(c: Context<GatewayEnv>): void {
  const said = c.env.incoming.headers['cache-control']
  if (said === undefined || !wishesOf(said).onlyIfCached) return
  throw new GatewayError('not_cached', 'Answers to such requests are not kept.')
}

async function withBody<T>(
  c: Context<GatewayEnv>,
  { transfer }: Outbound,
  go: (body: Buffer | null) => Promise<T>,
): Promise<T> {
  if (bodyLength(c.env.incoming) === 0) return await go(null)
  return await go(await wholeBody(c, transfer.body))
}
