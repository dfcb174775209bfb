import { type Provider, type RunningGateway, startGateway, startProvider } from '@tidegate/testkit'

/** The protocols of models: all that is said of one holds for the other. */
export const protocols = ['openai', 'anthropic'] as const
export type AiProtocol = (typeof protocols)[number]

/** The ways through the gateway of these tests: each is the beginning of a path. */
export type Way =
  /** One upstream. */
  | 'alone'
  /** A second upstream behind the first. */
  | 'failover'
  /** And a third. */
  | 'three'
  /** One upstream with two endpoints. */
  | 'pair'
  /** As `failover`, and streams are kept back until they have ended well. */
  | 'held'

/** Three providers, told apart by the model and the usage in their answers, behind one gateway. */
export interface Stage extends AsyncDisposable {
  readonly main: Provider
  readonly backup: Provider
  readonly third: Provider
  readonly gateway: RunningGateway
  /** Forgets what was asked and played. */
  reset(): void
  /** How often each provider was asked, in their order. */
  readonly hits: readonly number[]
}

/** How long an endpoint of these tests may be silent, unless told otherwise. */
export const silenceMs = 500

/** The longest wait between two tries; a `Retry-After` of up to this is waited for. */
export const longestWaitMs = 2_000

export const adminKey = 'admin-of-the-stage'

const quick = {
  retry: { retries: 2, initial: '20ms', max: `${longestWaitMs}ms`, budgetFloor: 1_000 },
  // What one test breaks is whole for the next.
  breaker: 'off',
}

const endpoint = (provider: Provider) => ({ url: `${provider.url}/v1`, apiKey: 'sk-of-the-stage' })

function upstreamsOf(
  protocol: AiProtocol,
  [main, backup, third]: readonly [Provider, Provider, Provider],
  silence: string,
) {
  const upstream = (...providers: readonly Provider[]) => {
    const timeouts = { connect: '1s', firstByte: silence, idle: silence }
    return { protocol, endpoints: providers.map(endpoint), timeouts, ...quick }
  }
  return {
    [`${protocol}-main`]: upstream(main),
    [`${protocol}-backup`]: upstream(backup),
    [`${protocol}-third`]: upstream(third),
    [`${protocol}-pair`]: upstream(main, backup),
  }
}

const upstreamsOfWays: Readonly<Record<Way, readonly string[]>> = {
  alone: ['main'],
  failover: ['main', 'backup'],
  three: ['main', 'backup', 'third'],
  pair: ['pair'],
  held: ['main', 'backup'],
}

function routesOf(way: Way) {
  const common = {
    stripPrefix: `/${way}`,
    auth: 'none',
    ...(way === 'held' ? { stream: { holdBack: 'full' } } : {}),
  }
  const names = upstreamsOfWays[way]
  const named = (protocol: AiProtocol) => names.map((name) => `${protocol}-${name}`)
  return [
    { match: `/${way}/v1/messages`, upstreams: named('anthropic'), ...common },
    { match: `/${way}/**`, upstreams: named('openai'), ...common },
  ]
}

/** The ids under which requests run in these tests, so that their lines in the log can be found. */
let requests = 0
export const nextId = (): string => `fault-${++requests}`

export async function startStage(silentForMs = silenceMs): Promise<Stage> {
  await using stack = new AsyncDisposableStack()
  const start = async (model: string, input: number, output: number) =>
    stack.use(await startProvider({ answers: { model, usage: { input, output } } }))
  const providers = [
    await start('main-model', 11, 13),
    await start('backup-model', 17, 19),
    await start('third-model', 23, 29),
  ] as const
  const [main, backup, third] = providers
  const ways = Object.keys(upstreamsOfWays) as Way[]
  const config = {
    version: 1,
    admin: { key: adminKey },
    upstreams: Object.assign(
      {},
      ...protocols.map((each) => upstreamsOf(each, providers, `${silentForMs}ms`)),
    ),
    routes: ways.flatMap(routesOf),
  }
  const gateway = stack.use(await startGateway({ config }))
  const kept = stack.move()
  return {
    ...{ main, backup, third, gateway },
    reset() {
      for (const provider of providers) provider.reset()
    },
    get hits() {
      return providers.map((provider) => provider.hits)
    },
    [Symbol.asyncDispose]: async () => await kept.disposeAsync(),
  }
}
