import { pollUntil } from '@tidegate/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dashboardExpressions, rules } from './files.ts'
import { gatewaySeries, strangersIn } from './gateway-metrics.ts'
import { type Live, startLive } from './live.ts'
import { selectorsIn, withoutVariables } from './promql.ts'

const installTimeoutMs = 300_000

/** What only trouble brings about that a well gateway is spared: it has no series of these. */
const ofTrouble = new Set([
  'tidegate_anomalies_total',
  'tidegate_anomaly_active',
  'tidegate_metric_series_dropped_total',
  'tidegate_metric_values_dropped_total',
])

let live: Live
beforeAll(async () => {
  live = await startLive()
}, installTimeoutMs)
afterAll(async () => await live?.[Symbol.asyncDispose]())

describe('a Prometheus set up as deploy/ has it, at a gateway', () => {
  it('scrapes it with the key from the file', async () => {
    expect(live.statuses).toEqual([200, 200, 200, 200, 429, 502, 502, 503, 200, 401])
    expect(await live.prometheus.query('up{job="tidegate"}')).toMatchObject([{ value: 1 }])
  })

  it('is given what gateway-metrics.ts tells of, and nothing else', async () => {
    const text = await live.scrape()
    expect(strangersIn(text)).toEqual([])
    const given = new Set([...text.matchAll(/^([a-zA-Z_:][\w:]*)[{ ]/gm)].map(([, name]) => name))
    const missing = [...gatewaySeries.keys()].filter((name) => !given.has(name))
    expect(missing.filter((name) => !ofTrouble.has(name))).toEqual([])
  })

  it('has series for all that rules and panels ask for', async () => {
    const expressions = [...rules().map(({ expr }) => expr), ...dashboardExpressions()]
    const asked = expressions.flatMap((expr) => selectorsIn(withoutVariables(expr)))
    const names = new Set(asked.map(({ name }) => name))
    const own = [...names].filter((name) => gatewaySeries.has(name) && !ofTrouble.has(name))
    for (const name of own) {
      expect(await live.prometheus.query(`count({__name__="${name}"})`), name).toHaveLength(1)
    }
    expect(own.length).toBeGreaterThan(20)
  })

  it('evaluates every rule, and every question of the dashboard', async () => {
    const evaluated = async () => {
      const { groups } = (await live.prometheus.api('rules')) as RuleGroups
      return groups.flatMap((group) => group.rules)
    }
    const isDone = async () => (await evaluated()).every(({ health }) => health !== 'unknown')
    await pollUntil(isDone, { timeoutMs: 30_000, describe: () => 'not every rule was evaluated' })
    expect((await evaluated()).filter(({ health }) => health !== 'ok')).toEqual([])
    for (const expression of dashboardExpressions()) {
      const asked = withoutVariables(expression).replaceAll('job=".*"', 'job="tidegate"')
      await expect(live.prometheus.query(asked), expression).resolves.toBeInstanceOf(Array)
    }
  })

  it('sees which upstream is away', async () => {
    const isOpen = (upstream: string) =>
      live.prometheus.query(`tidegate_breaker_state{tidegate_upstream="${upstream}",state="open"}`)
    expect(await isOpen('away')).toMatchObject([{ value: 1 }])
    expect(await isOpen('openai')).toMatchObject([{ value: 0 }])
  })
})

interface RuleGroups {
  readonly groups: readonly { readonly rules: readonly { readonly health: string }[] }[]
}
