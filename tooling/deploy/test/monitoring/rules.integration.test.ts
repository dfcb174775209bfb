import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  promtoolCheckConfig,
  promtoolCheckRules,
  promtoolTestRules,
  temporaryFolder,
} from '@tidegate/testkit'
import { beforeAll, describe, expect, it } from 'vitest'
import { dashboardExpressions, deployed, prometheusFolder, readText, rules } from './files.ts'
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

describe('deploy/grafana', () => {
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
