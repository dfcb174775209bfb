import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../net/free-port.ts'
import { ManagedProcess } from '../process/child.ts'
import { temporaryFolder } from '../process/temporary-folder.ts'
import { pollUntil } from '../process/waiting.ts'
import { requireProgram } from './binaries.ts'

export interface PrometheusOptions {
  /** What to scrape: addresses such as `http://127.0.0.1:8000/metrics`, all under `job="test"`. */
  readonly targets?: readonly string[]
  /** 200 by default. */
  readonly scrapeIntervalMs?: number
  /** Sent to each target as `authorization: Bearer …`. */
  readonly bearerToken?: string
  /** Paths of rule files, evaluated as often as is scraped. */
  readonly ruleFiles?: readonly string[]
  /** The text of a `prometheus.yml`, which stands in for all of the above. */
  readonly config?: string
}

/** One series of a query's answer. */
export interface PrometheusSample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** A real Prometheus with a memory of its own. */
export interface PrometheusServer extends AsyncDisposable {
  readonly url: string
  /** Evaluates PromQL at this moment; a scalar is one sample without labels. Rejects with Prometheus's error. */
  readonly query: (promql: string) => Promise<readonly PrometheusSample[]>
  /** Resolves once every target was scraped, wholly and well, after this call. */
  readonly waitForScrape: (timeoutMs?: number) => Promise<void>
  /** What its HTTP API under `/api/v1/` answers as `data`. */
  readonly api: (path: string) => Promise<unknown>
}

interface Answer {
  readonly status: 'success' | 'error'
  readonly error?: string
  readonly data: unknown
}

interface QueryData {
  readonly resultType: string
  readonly result: unknown
}

interface Targets {
  readonly activeTargets: readonly unknown[]
}

interface VectorItem {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [number, string]
}

const startTimeoutMs = 20_000
const scrapeTimeoutMs = 10_000
/** Prometheus moves a scrape's time by up to 2 ms, to store it in less space. */
const alignmentMs = 2

/** JSON is YAML too. */
function configuration(options: PrometheusOptions, tokenFile: string): string {
  const interval = `${options.scrapeIntervalMs ?? 200}ms`
  const authorization = options.bearerToken === undefined ? {} : { credentials_file: tokenFile }
  const targets = (options.targets ?? []).map((target) => new URL(target))
  return JSON.stringify({
    global: { scrape_interval: interval, scrape_timeout: interval, evaluation_interval: interval },
    rule_files: options.ruleFiles ?? [],
    scrape_configs: [
      {
        job_name: 'test',
        authorization,
        static_configs: targets.map(({ host, pathname, protocol }) => ({
          targets: [host],
          labels: { __metrics_path__: pathname, __scheme__: protocol.slice(0, -1) },
        })),
      },
    ],
  })
}

async function launch(folder: string, port: number): Promise<ManagedProcess> {
  const command = await requireProgram({ programs: ['prometheus'], debianPackage: 'prometheus' })
  const server = new ManagedProcess({
    command,
    args: [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=warn',
    ],
    env: { PATH: process.env.PATH ?? '' },
    cwd: folder,
  })
  const ready = async () => {
    if (!server.running) throw new Error(`Prometheus ended at once.\n${server.output}`)
    const answer = fetch(`http://127.0.0.1:${port}/-/ready`).then(({ ok }) => ok)
    return await answer.catch(() => false)
  }
  try {
    const describe = () => `Prometheus did not become ready.\n${server.output}`
    await pollUntil(ready, { timeoutMs: startTimeoutMs, describe })
    return server
  } catch (error) {
    await server.end('SIGKILL')
    throw error
  }
}

function samplesOf({ resultType, result }: QueryData): readonly PrometheusSample[] {
  if (resultType === 'scalar') {
    return [{ labels: {}, value: Number((result as readonly [number, string])[1]) }]
  }
  if (resultType !== 'vector') throw new Error(`the query gives a ${resultType}, not numbers`)
  return (result as readonly VectorItem[]).map(({ metric, value }) => ({
    labels: metric,
    value: Number(value[1]),
  }))
}

/**
 * Starts Prometheus on 127.0.0.1 and resolves once it knows its targets, which takes it five seconds. A missing
 * program is installed for root, or the error names the command.
 */
export async function startPrometheus(options: PrometheusOptions): Promise<PrometheusServer> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder('prometheus'))
  const tokenFile = join(folder.path, 'token')
  await writeFile(tokenFile, options.bearerToken ?? '', { mode: 0o600 })
  const config = options.config ?? configuration(options, tokenFile)
  await writeFile(join(folder.path, 'prometheus.yml'), config)
  const port = await freePort()
  stack.use(await launch(folder.path, port))
  const url = `http://127.0.0.1:${port}`
  const api = async (path: string) => {
    const response = await fetch(`${url}/api/v1/${path}`)
    const answer = (await response.json()) as Answer
    if (answer.status === 'error') throw new Error(`Prometheus: ${answer.error} (${path})`)
    return answer.data
  }
  const query = async (promql: string) =>
    samplesOf((await api(`query?query=${encodeURIComponent(promql)}`)) as QueryData)
  let targets = 0
  const knowsTargets = async () => {
    const { activeTargets } = (await api('targets')) as Targets
    targets = activeTargets.length
    return options.targets === undefined ? targets > 0 : targets === options.targets.length
  }
  const describe = () => 'Prometheus did not take up its targets'
  await pollUntil(knowsTargets, { timeoutMs: startTimeoutMs, intervalMs: 100, describe })
  const kept = stack.move()
  return {
    ...{ url, api, query },
    waitForScrape: async (timeoutMs = scrapeTimeoutMs) => {
      const since = (Date.now() + alignmentMs) / 1000
      const fresh = async () => {
        const scraped = await query(`timestamp(up) > ${since} and up == 1`)
        return scraped.length === targets
      }
      await pollUntil(fresh, { timeoutMs, describe: () => 'not every target was scraped' }).catch(
        async (error: unknown) => {
          throw new Error(`${String(error)}\n${JSON.stringify(await api('targets'), null, 2)}`)
        },
      )
    },
    [Symbol.asyncDispose]: async () => await kept.disposeAsync(),
  }
}
