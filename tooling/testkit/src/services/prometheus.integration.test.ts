import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { keepPort } from '../net/kept-port.ts'
import { temporaryFolder } from '../process/temporary-folder.ts'
import { pollUntil } from '../process/waiting.ts'
import { requireProgram } from './binaries.ts'
import { startPrometheus } from './prometheus.ts'
import {
  promtoolCheckConfig,
  promtoolCheckMetrics,
  promtoolCheckRules,
  promtoolTestRules,
} from './promtool.ts'

const installTimeoutMs = 300_000

beforeAll(async () => {
  await requireProgram({ programs: ['prometheus'], debianPackage: 'prometheus' })
}, installTimeoutMs)

const exposition = (count: number) => `# HELP tide_requests_total Requests.
# TYPE tide_requests_total counter
tide_requests_total{route="/v1/**"} ${count}
`

/** Something to scrape that asks for a token. */
async function startExporter(token: string) {
  let count = 1
  const server = createServer((request, response) => {
    if (request.headers.authorization !== `Bearer ${token}`) response.writeHead(401).end()
    else response.setHeader('content-type', 'text/plain; version=0.0.4').end(exposition(count))
  })
  const listener = await keepPort(server)
  return {
    url: `http://127.0.0.1:${listener.port}/metrics`,
    count: (next: number) => {
      count = next
    },
    [Symbol.asyncDispose]: async () => await listener[Symbol.asyncDispose](),
  }
}

describe('startPrometheus', { concurrent: true }, () => {
  it('scrapes with the token, and answers for what is there now', async () => {
    await using exporter = await startExporter('admin')
    await using prometheus = await startPrometheus({
      targets: [exporter.url],
      bearerToken: 'admin',
    })
    await prometheus.waitForScrape()
    const total = 'sum(tide_requests_total)'
    expect(await prometheus.query(total)).toEqual([{ labels: {}, value: 1 }])
    exporter.count(41)
    await prometheus.waitForScrape()
    expect(await prometheus.query('tide_requests_total')).toMatchObject([
      { labels: { route: '/v1/**', job: 'test' }, value: 41 },
    ])
    expect(await prometheus.query('1 + 1')).toEqual([{ labels: {}, value: 2 }])
    await expect(prometheus.query('sum(')).rejects.toThrow('parse error')
  })

  it('tells why a target could not be scraped', async () => {
    await using exporter = await startExporter('admin')
    await using prometheus = await startPrometheus({ targets: [exporter.url], bearerToken: 'no' })
    const scraped = async () => await prometheus.waitForScrape(3_000)
    await expect(scraped()).rejects.toThrow(/not every target was scraped[\s\S]*401/)
  })

  it('evaluates rules', async () => {
    await using folder = await temporaryFolder('rules')
    await using exporter = await startExporter('admin')
    const rules = join(folder.path, 'rules.yml')
    const rule = { record: 'tide:double', expr: 'tide_requests_total * 2' }
    await writeFile(rules, JSON.stringify({ groups: [{ name: 'tide', rules: [rule] }] }))
    await using prometheus = await startPrometheus({
      targets: [exporter.url],
      bearerToken: 'admin',
      ruleFiles: [rules],
    })
    const evaluated = async () => (await prometheus.query('tide:double')).length === 1
    await pollUntil(evaluated, { timeoutMs: 10_000, describe: () => 'the rule has no result' })
  })

  it('fails with what the server said', async () => {
    await using folder = await temporaryFolder('rules')
    const rules = join(folder.path, 'rules.yml')
    await writeFile(rules, 'nonsense: true')
    const nonsense = startPrometheus({ targets: [], ruleFiles: [rules] })
    await expect(nonsense).rejects.toThrow(/Prometheus ended at once[\s\S]*nonsense/)
  })
})

describe('promtool', () => {
  it('has nothing to say about good metrics, and names what is wrong with others', async () => {
    expect(await promtoolCheckMetrics(exposition(1))).toEqual([])
    const named = exposition(1).replaceAll('tide_requests_total', 'tide_requests')
    expect((await promtoolCheckMetrics(named)).join()).toContain('should have "_total" suffix')
    expect((await promtoolCheckMetrics('no metric at all')).join()).toContain('error')
  })

  it('checks rules, tests them, and checks a configuration', async () => {
    await using folder = await temporaryFolder('rules')
    const write = async (name: string, content: object) => {
      await writeFile(join(folder.path, name), JSON.stringify(content))
      return join(folder.path, name)
    }
    const group = (expr: string) => ({ groups: [{ name: 'g', rules: [{ alert: 'Up', expr }] }] })
    const good = await write('good.yml', group('up == 1'))
    const bad = await write('bad.yml', group('up =='))
    expect(await promtoolCheckRules([good])).toEqual([])
    expect((await promtoolCheckRules([good, bad])).join()).toContain('parse error')
    const expects = (alerts: readonly object[]) => ({
      rule_files: ['good.yml'],
      tests: [
        {
          input_series: [{ series: 'up{job="a"}', values: '1 1 1' }],
          alert_rule_test: [{ eval_time: '1m', alertname: 'Up', exp_alerts: alerts }],
        },
      ],
    })
    const right = await write('right.yml', expects([{ exp_labels: { job: 'a' } }]))
    const wrong = await write('wrong.yml', expects([]))
    expect(await promtoolTestRules([right])).toEqual([])
    expect((await promtoolTestRules([wrong])).join()).toContain('FAILED')
    const config = await write('config.yml', { rule_files: ['bad.yml'] })
    expect((await promtoolCheckConfig(config)).join()).toContain('parse error')
  })
})
