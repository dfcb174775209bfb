import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import {
  promtoolCheckConfig,
  promtoolCheckRules,
  promtoolTestRules,
  startPrometheus,
  temporaryFolder,
} from '@tidegate/testkit'
import { beforeAll, describe, expect, it } from 'vitest'
import { dashboardExpressions, deployed, prometheusFolder, readText, rules } from './files.ts'
import { gatewaySeries } from './gateway-metrics.ts'
import { withoutVariables } from './promql.ts'

const installTimeoutMs = 300_000
/** Prometheus evaluates hours of rules at every minute. */
const rulesTimeoutMs = 120_000

beforeAll(async () => {
  await promtoolCheckRules(deployed('prometheus/rules/*.yml'))
}, installTimeoutMs)

describe('deploy/prometheus', () => {
  it('has rules that Prometheus takes', async () => {
    expect(await promtoolCheckRules(deployed('prometheus/rules/*.yml'))).toEqual([])
  })

  it('has a configuration that Prometheus takes, with all the rules', async () => {
    await using folder = await temporaryFolder('configuration')
    const secret = join(folder.path, 'admin-key')
    await writeFile(secret, 'key')
    const text = readText('deploy/prometheus/prometheus.yml')
    const here = text
      .replace('/etc/prometheus/secrets/tidegate-admin-key', secret)
      .replace('rules/*.yml', join(prometheusFolder, 'rules/*.yml'))
    const file = join(folder.path, 'prometheus.yml')
    await writeFile(file, here)
    expect(await promtoolCheckConfig(file)).toEqual([])
    expect(here).toContain(secret)
  })

  it.each(
    deployed('prometheus/tests/*.yml').map((file) => [
      file.slice(prometheusFolder.length + 1),
      file,
    ]),
  )('passes %s', { timeout: rulesTimeoutMs }, async (_, file) => {
    expect(await promtoolTestRules([file])).toEqual([])
  })

  it('tests every alert, once when it fires and once when it stays quiet', () => {
    const tested = deployed('prometheus/tests/*.yml').map(readText).join('\n')
    const alerts = rules().flatMap(({ alert }) => alert ?? [])
    const cases = alerts.flatMap((alert) => [`${alert} fires`, `${alert} stays quiet`])
    expect(cases.filter((name) => !tested.includes(`name: ${name}\n`))).toEqual([])
  })

  it('says of every alert how bad it is, what happens, and where to read on', () => {
    const guide = readText('docs/guide/monitoring.md')
    for (const { alert, labels, annotations } of rules()) {
      if (alert === undefined) continue
      expect(['critical', 'warning', 'info'], alert).toContain(labels?.severity)
      expect(annotations?.summary, alert).not.toBe('')
      expect(annotations?.description, alert).toMatch(/\.$/)
      expect(annotations?.runbook).toBe(`docs/guide/monitoring.md#${alert.toLowerCase()}`)
      expect(guide, alert).toMatch(new RegExp(`^#+ ${alert}$`, 'm'))
    }
  })
})

/** Every series of a gateway, twice, so that what may not be matched one to one is noticed. */
function exposition(): string {
  const lines = [...gatewaySeries].flatMap(([name, labels]) =>
    (labels.length === 0 ? [''] : ['a', 'b']).map((value) => {
      const pairs = labels.map((label) => `${label}="${label === 'le' ? '+Inf' : value}"`)
      return `${name}{${pairs.join()}} 1`
    }),
  )
  return `${[...new Set(lines)].join('\n')}\n`
}

async function startLookalike() {
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'text/plain; version=0.0.4').end(exposition())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/metrics`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

describe('deploy/grafana', () => {
  it('asks what a Prometheus that scrapes two gateways can answer', async () => {
    await using one = await startLookalike()
    await using other = await startLookalike()
    await using prometheus = await startPrometheus({ targets: [one.url, other.url] })
    await prometheus.waitForScrape()
    await prometheus.waitForScrape()
    for (const expression of dashboardExpressions()) {
      const asked = withoutVariables(expression).replaceAll('job=".*"', 'job="test"')
      await expect(prometheus.query(asked), expression).resolves.toBeInstanceOf(Array)
    }
    const requests = await prometheus.query('tidegate_requests_total{job="test", http_route="a"}')
    expect(requests).toHaveLength(2)
  })

  it('asks in PromQL that Prometheus takes', async () => {
    await using folder = await temporaryFolder('expressions')
    const asRules = dashboardExpressions().map((expr, index) => ({
      record: `panel:expression:${index}`,
      expr: withoutVariables(expr),
    }))
    const file = join(folder.path, 'rules.yml')
    await writeFile(file, JSON.stringify({ groups: [{ name: 'panels', rules: asRules }] }))
    expect(await promtoolCheckRules([file])).toEqual([])
  })
})
