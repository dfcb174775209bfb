import { addContext, type Logger } from '@tidegate/logger'
import { requestLog } from '@tidegate/logger/hono'
import {
  cors,
  createProblems,
  createTrust,
  deadline,
  defineProblems,
  type ExchangeEnv,
  exchange,
  ServerError,
  security,
  validateJson,
} from '@tidegate/server'
import { Hono } from 'hono'
import { z } from 'zod'
import type { Config } from './config.ts'

/** What can go wrong, for the people who call this service: the kit's errors and one of our own. */
const table = defineProblems<'nowhere'>({
  nowhere: {
    status: 422,
    title: 'No route to that place',
    type: 'invalid_request_error',
    fault: 'client',
    remedy: 'Choose one of the places that GET /places lists.',
  },
})

const ratePerKilo = new Map([
  ['Hamburg', 0.8],
  ['Lisbon', 2.1],
])

const Parcel = z.strictObject({ to: z.string(), kilos: z.number().positive() })

export interface AppParts {
  readonly settings: Config
  readonly logger: Logger
  /** False while the server drains. */
  readonly ready: () => boolean
}

/** A service that says what a parcel costs. The pipeline reads from the outside in. */
export function createApp({ settings, logger, ready }: AppParts): Hono<ExchangeEnv> {
  const { config, profile } = settings
  const problems = createProblems({ table, production: profile === 'production' })
  const app = new Hono<ExchangeEnv>()

  app.use(exchange({ profile, trust: createTrust(config.trustedProxies), service: 'quotes' }))
  app.use(
    requestLog<ExchangeEnv>({
      logger,
      context: (c) => ({ request_id: c.get('exchange').requestId }),
      fields: (c) => ({ client_ip: c.get('exchange').clientIp }),
      skip: (c) => c.req.path === '/readyz',
    }),
  )
  app.use(security(profile))
  app.use(cors({ profile, origins: config.origins }))
  app.use(deadline({ ms: config.timeout, enforce: true }))

  app.get('/readyz', (c) => c.json({ ready: ready() }, ready() ? 200 : 503))
  app.get('/places', (c) => c.json([...ratePerKilo.keys()]))
  app.post('/quotes', validateJson(Parcel), (c) => {
    const { to, kilos } = c.req.valid('json')
    addContext({ to })
    const rate = ratePerKilo.get(to)
    if (rate === undefined) throw new ServerError<'nowhere'>('nowhere', 'Nobody drives there.')
    const price = Math.round(rate * kilos * 100) / 100
    logger.info({ price }, 'quoted')
    return c.json({ price })
  })
  app.get('/slow', () => new Promise<Response>(() => {}))

  app.onError(problems.onError)
  app.notFound(problems.notFound)
  return app
}
