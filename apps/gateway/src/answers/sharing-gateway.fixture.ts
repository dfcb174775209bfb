import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import {
  type ClaimOptions,
  createRecordings,
  type Recordings,
  type RecordingsOptions,
} from '@tidegate/events'
import { createLogger, type Logger } from '@tidegate/logger'
import { requestLog } from '@tidegate/logger/hono'
import { createProblems, createTrust, exchange } from '@tidegate/server'
import { pollUntil } from '@tidegate/testkit'
import { type Context, type Handler, Hono } from 'hono'
import { check, file, settingsOf } from '../config/check.fixture.ts'
import type { Settings } from '../config/settings.ts'
import type { GatewayEnv } from '../env.ts'
import { type Gate, through } from '../gates.ts'
import { wholeBody } from '../handlers/body.ts'
import { Limits } from '../limits/limits.ts'
import { limit } from '../limits/stage.ts'
import { logFault, requestFields } from '../logging.ts'
import { problems } from '../problems.ts'
import { connectRoutes } from '../routes.ts'
import { createGatewayServer } from '../serve.ts'
import { enter } from '../stages.ts'
import { FailureLog } from '../upstreams/failure-log.ts'
import { createUpstream, type Upstream } from '../upstreams/upstream.ts'
import type { AnswerHead } from './answer-head.ts'
import { joinAnswer } from './join.ts'
import type { Outbound } from './outbound.ts'
import { type Answered, serveFrom } from './serve.ts'

type FindAnswer = (
  c: Context<GatewayEnv>,
  body: Buffer | null,
  name: string,
) => Answered | Promise<Answered>

type Line = Readonly<Record<string, unknown>>

/** A gateway of one route whose identical requests share one call. */
export interface SharingGateway extends AsyncDisposable {
  readonly url: string
  readonly recordings: Recordings<AnswerHead>
  readonly limits: Limits
  readonly failureLog: FailureLog
  /** What was logged, in order. */
  readonly lines: readonly Line[]
  /** Waits until so many clients read answers that are under way. */
  readers(count: number): Promise<void>
  /** The requests' own lines, when there are so many. */
  requestLines(count: number): Promise<readonly Line[]>
}

export interface SharingOptions {
  readonly protocol?: 'openai' | 'anthropic' | 'http'
  /** Of the file, the upstream and the route, in YAML. */
  readonly top?: string
  readonly upstream?: string
  readonly route?: string
  /** The longest that a client may stop reading, in milliseconds. */
  readonly write?: number
  readonly hitCost?: number
  readonly recordings?: RecordingsOptions
  readonly claim?: ClaimOptions
  /** Passed before the limits. */
  readonly gates?: readonly Gate[]
}

export async function sharingGateway(
  urls: readonly string[],
  options: SharingOptions = {},
): Promise<SharingGateway> {
  const settings = await settingsFor(urls, options)
  const upstreams = settings.upstreams.map(createUpstream)
  const byName = new Map<string, Upstream>(upstreams.map((each) => [each.name, each]))
  const [route] = connectRoutes(settings.routes, byName)
  if (route === undefined) throw new Error('no route')
  const lines: Line[] = []
  const logger = createLogger({ destination: { write: (text) => void lines.push(asLine(text)) } })
  const failureLog = new FailureLog()
  const recordings = createRecordings<AnswerHead>(options.recordings)
  const limits = new Limits({ ...settings, onError: (error) => void lines.push({ error }) })
  const body = { limit: settings.server.bodyLimit, idle: settings.server.timeouts.body }
  const transfer = { body, write: options.write ?? settings.server.timeouts.write }
  const outbound: Outbound = {
    ...{ transfer, failureLog, logger },
    route: { ...route, hitCost: options.hitCost ?? 0 },
  }
  const gates: Gate[] = [enter(route), ...(options.gates ?? [])]
  const plan = limits.planOf(route.limits)
  if (!plan.isEmpty) gates.push(limit({ limits, plan, body, onHit: () => undefined }))
  const find: FindAnswer = (c, body, name) =>
    joinAnswer(c, outbound, body, recordings, name, options.claim)
  const app = appOf(outbound, find, gates, logger)

  const server = createGatewayServer(app, settings.server, () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const requests = (): readonly Line[] => lines.filter(({ message }) => message === 'request')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...{ recordings, limits, failureLog, lines },
    readers: (count) =>
      until(
        () => recordings.stats().readers === count,
        () => `${recordings.stats().readers} readers, not ${count}`,
      ),
    requestLines: async (count) => {
      await until(
        () => requests().length >= count,
        () => `${requests().length} lines, not ${count}`,
      )
      return requests()
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      const pools = upstreams.flatMap(({ endpoints: all }) => all.map(({ pool }) => pool))
      await Promise.all(pools.map((pool) => pool.destroy()))
      await limits.close()
      await recordings.close()
    },
  }
}

async function settingsFor(urls: readonly string[], options: SharingOptions): Promise<Settings> {
  const { protocol = 'openai', top = '', upstream = 'retry: off', route = '' } = options
  const yaml = file({ protocol, top, upstream, route: `auth: none\n${route}` })
  const endpoints = urls.map((url) => `{ url: "${url}/v1" }`).join(', ')
  return settingsOf(await check(yaml.replace(/endpoints: .*/, `endpoints: [${endpoints}]`)))
}

function appOf(
  outbound: Outbound,
  find: FindAnswer,
  gates: readonly Gate[],
  logger: Logger,
): Hono<GatewayEnv> {
  const app = new Hono<GatewayEnv>()
  app.use(exchange({ profile: 'test', trust: createTrust([]), service: 'gateway' }))
  app.use(requestLog({ logger, ...requestFields }))
  const end: Handler<GatewayEnv> = async (c) => {
    const whole = await wholeBody(c, outbound.transfer.body)
    const sent = whole.length === 0 ? null : whole
    const name = nameOf(c, whole)
    return serveFrom(c, outbound, () => find(c, sent, name))
  }
  app.all('*', through(gates, end))
  const form = (c: Context<GatewayEnv>) =>
    c.get('protocol') === 'anthropic' ? 'anthropic' : 'openai'
  const onProblem = (_: unknown, error: unknown, c: Context<GatewayEnv>) =>
    logFault(logger, c, error)
  app.onError(createProblems({ table: problems, production: true, form, onProblem }).onError)
  return app
}

function nameOf(c: Context<GatewayEnv>, body: Buffer): string {
  const { target } = c.env.incoming
  const path = target.ok ? target.path + target.query : ''
  return createHash('sha256').update(`${c.req.method} ${path}\n`).update(body).digest('hex')
}

function asLine(text: string): Line {
  return JSON.parse(text) as Line
}

function until(isTrue: () => boolean, describe: () => string): Promise<void> {
  return pollUntil(async () => isTrue(), { intervalMs: 1, describe })
}
