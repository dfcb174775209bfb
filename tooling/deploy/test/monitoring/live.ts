import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type PrometheusServer,
  type RunningGateway,
  startGateway,
  startMongoLookalike,
  startOtlpCollector,
  startPrometheus,
  startProvider,
  startRedis,
  temporaryFolder,
} from '@tidegate/testkit'
import { prometheusFolder, readText } from './files.ts'

const adminKey = 'admin-of-the-live-test'
const keyOfAda = 'key-of-ada-0123456789'

/** A gateway with everything on that has figures of its own, and a Prometheus as `deploy/` sets it up. */
export interface Live extends AsyncDisposable {
  readonly prometheus: PrometheusServer
  /** What `/metrics` says to an operator. */
  readonly scrape: () => Promise<string>
  /** The statuses of the answers to the traffic before the first scrape. */
  readonly statuses: readonly number[]
}

interface Surroundings {
  readonly provider: string
  readonly redis: string
  readonly mongodb: string
  readonly collector: string
}

function configOf({ provider, redis, mongodb, collector }: Surroundings) {
  const upstream = (url: string) => ({
    ...{ protocol: 'openai', retry: 'off', breaker: { failures: 2, openFor: '10m' } },
    endpoints: [{ url: `${url}/v1` }],
  })
  return {
    version: 1,
    admin: { key: adminKey },
    redis: { url: redis },
    health: { mongodb, shedding: {} },
    telemetry: {
      topKeys: 10,
      prices: { 'tide-1': { input: 1, output: 2 } },
      tracing: { endpoint: collector, sample: '100%' },
    },
    upstreams: { openai: upstream(provider), away: upstream('http://127.0.0.1:1') },
    limits: { few: { by: 'key', rate: '2/1h' } },
    routes: [
      { match: '/away/v1/**', stripPrefix: '/away', upstreams: ['away'], auth: 'none' },
      { match: '/few/v1/**', stripPrefix: '/few', upstreams: ['openai'], limits: ['few'] },
      { match: '/v1/**', upstreams: ['openai'], cache: '1m' },
    ],
    auth: { keys: [{ id: 'ada', key: keyOfAda }] },
  }
}

async function ask(
  { url }: RunningGateway,
  path: string,
  { stream = false, key = keyOfAda } = {},
): Promise<number> {
  const messages = [{ role: 'user', content: 'When is high tide?' }]
  const more = stream ? { stream, stream_options: { include_usage: true } } : {}
  const response = await fetch(`${url}${path}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model: 'tide-1', messages, ...more }),
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
  })
  await response.arrayBuffer()
  return response.status
}

/** A little of everything that is counted. */
async function traffic(gateway: RunningGateway): Promise<readonly number[]> {
  const statuses: number[] = []
  for (const path of ['', '', '/few', '/few', '/few', '/away', '/away', '/away']) {
    statuses.push(await ask(gateway, path))
  }
  statuses.push(await ask(gateway, '', { stream: true }))
  statuses.push(await ask(gateway, '', { key: 'of nobody' }))
  return statuses
}

/** The configuration in `deploy/`, with the places of this machine and less patience. */
async function exampleConfig(folder: string, { port }: RunningGateway): Promise<string> {
  const secret = join(folder, 'admin-key')
  await writeFile(secret, `${adminKey}\n`, { mode: 0o600 })
  const changes: readonly (readonly [string, string])[] = [
    ['/etc/prometheus/secrets/tidegate-admin-key', secret],
    ['rules/*.yml', join(prometheusFolder, 'rules/*.yml')],
    ['127.0.0.1:8000', `127.0.0.1:${port}`],
    ['scrape_interval: 15s', 'scrape_interval: 1s'],
    ['evaluation_interval: 15s', 'evaluation_interval: 1s'],
  ]
  return changes.reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`prometheus.yml has no ${from}`)
    return text.replace(from, to)
  }, readText('deploy/prometheus/prometheus.yml'))
}

export async function startLive(): Promise<Live> {
  await using stack = new AsyncDisposableStack()
  const provider = stack.use(await startProvider())
  const redis = stack.use(await startRedis({ own: true, args: ['--maxmemory', '100mb'] }))
  const mongodb = stack.use(await startMongoLookalike())
  const collector = stack.use(await startOtlpCollector())
  const folder = stack.use(await temporaryFolder('live'))
  const config = configOf({
    ...{ provider: provider.url, redis: redis.url },
    ...{ mongodb: mongodb.url, collector: collector.url },
  })
  const gateway = stack.use(await startGateway({ config }))
  const statuses = await traffic(gateway)
  const prometheus = stack.use(
    await startPrometheus({ config: await exampleConfig(folder.path, gateway) }),
  )
  // Two scrapes with traffic between them: the least that a rate is made of.
  await prometheus.waitForScrape()
  await ask(gateway, '', { stream: true })
  await prometheus.waitForScrape()
  const kept = stack.move()
  return {
    ...{ prometheus, statuses },
    scrape: async () => {
      const headers = { authorization: `Bearer ${adminKey}`, accept: 'text/plain' }
      const response = await fetch(`${gateway.url}/metrics`, { headers })
      return await response.text()
    },
    [Symbol.asyncDispose]: async () => await kept.disposeAsync(),
  }
}
