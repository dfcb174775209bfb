import { type Provider, pollUntil, startGateway, startProvider } from '@tidegate/testkit'
import { describe, expect, it } from 'vitest'
import { adminKey, ask, clientKey, readiness, seen, statuses } from './asking.ts'

const hourMs = 3_600_000
const failures = 3

/** Run before the gateway: its wall clock is set by signals, the monotonic one goes on as it does. */
const settableClock = `data:text/javascript,${encodeURIComponent(`
  const now = Date.now
  let offset = 0
  Date.now = () => now() + offset
  const set = (ms) => { offset += ms; console.error('the clock was set by ' + ms) }
  process.on('SIGUSR2', () => set(2 * ${hourMs}))
  process.on('SIGURG', () => set(-4 * ${hourMs}))
`)}`

function gatewayBefore(living: Provider, dead: Provider) {
  const upstream = ({ url }: Provider) => ({
    protocol: 'openai',
    ...{ retry: 'off', breaker: { failures, openFor: '10m' }, endpoints: [{ url: `${url}/v1` }] },
  })
  return startGateway({
    env: { NODE_OPTIONS: `--import=${settableClock}` },
    config: {
      version: 1,
      admin: { key: adminKey },
      upstreams: { living: upstream(living), dead: upstream(dead) },
      limits: { hourly: { by: 'key', rate: '5/1h' } },
      routes: [
        { match: '/dead/v1/**', stripPrefix: '/dead', upstreams: ['dead'], auth: 'none' },
        { match: '/limited/v1/**', stripPrefix: '/limited', upstreams: ['living'] },
        { match: '/v1/**', upstreams: ['living'], auth: 'none' },
      ].map((route, index) => (index === 1 ? { ...route, limits: ['hourly'] } : route)),
      auth: { keys: [{ id: 'ada', key: clientKey }] },
    },
  })
}

describe('a gateway whose clock is set', () => {
  it.each([
    ['forward', 'SIGUSR2', 2 * hourMs],
    ['back', 'SIGURG', -4 * hourMs],
  ] as const)(
    '%s by hours keeps limits, breakers and open streams as they were',
    async (_, signal, ms) => {
      await using living = await startProvider()
      await using dead = await startProvider()
      await using gateway = await gatewayBefore(living, dead)
      const limited = '/limited/v1/chat/completions'
      const unreachable = '/dead/v1/chat/completions'
      expect(await statuses(gateway, 6, limited)).toEqual([200, 200, 200, 200, 200, 429])
      dead.always({ status: 500 })
      await statuses(gateway, failures, unreachable)
      expect(await statuses(gateway, 1, unreachable)).toEqual([503])
      const { promise, resolve } = Promise.withResolvers<void>()
      living.always({ beforeEvent: (index) => (index === 2 ? promise : undefined) })
      const stream = await streamOf(gateway.url)
      gateway.signal(signal)
      const wasSet = () => gateway.stderr.includes(`the clock was set by ${ms}`)
      await pollUntil(async () => wasSet(), { describe: () => 'the clock was never set' })
      resolve()
      expect(await stream.text()).toMatch(/data: \[DONE\]\n\n$/)
      living.always({})
      expect(await ask(gateway)).toBe(200)
      expect(await statuses(gateway, 2, limited)).toEqual([429, 429])
      expect(await statuses(gateway, 2, unreachable)).toEqual([503, 503])
      expect(await readiness(gateway)).toMatchObject({ code: 200, status: 'ready' })
      const { endpoints } = await seen<{ endpoints: readonly object[] }>(gateway, '/health/dead')
      expect(endpoints).toMatchObject([{ breaker: 'open' }])
    },
  )
})

function streamOf(url: string): Promise<Response> {
  const messages = [{ role: 'user', content: 'When is high tide?' }]
  return fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model: 'tide', messages, stream: true }),
    headers: { 'content-type': 'application/json' },
  })
}
