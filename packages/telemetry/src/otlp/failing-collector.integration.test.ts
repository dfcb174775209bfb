import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { fileURLToPath } from 'node:url'
import {
  type CollectorMode,
  ManagedProcess,
  makeCertificates,
  pollUntil,
  startDeafListener,
  startOtlpCollector,
  withTimeout,
} from '@tidegate/testkit'
import { describe, expect, it } from 'vitest'
import { createMetrics } from '../core/metrics/metrics.ts'
import { createTracing } from '../core/tracing/tracing.ts'
import type { Loss } from './losses.ts'
import { type Otlp, type OtlpOptions, startOtlp } from './start-otlp.ts'

interface Sending {
  readonly otlp: Otlp
  readonly losses: readonly Loss[]
  /** Records so many spans at once. */
  readonly record: (count: number) => void
  readonly lost: (reason?: Loss['reason']) => number
}

function sendTo(endpoint: string, options: Partial<OtlpOptions> = {}): Sending {
  const losses: Loss[] = []
  const otlp = startOtlp({
    ...{
      serviceName: 'gate',
      endpoint,
      timeoutMs: 10_000,
      queue: { max: 20, batch: 10, delayMs: 0 },
    },
    ...options,
    onLoss: (loss) => losses.push(loss),
  })
  const tracing = createTracing({ recorder: otlp.recorder })
  return {
    otlp,
    losses,
    record: (count) => {
      for (let made = 0; made < count; made += 1) tracing.begin(undefined, undefined).end()
    },
    lost: (reason) => {
      const counted = losses.filter((loss) => reason === undefined || loss.reason === reason)
      return counted.reduce((sum, { count }) => sum + count, 0)
    },
  }
}

interface Listening extends AsyncDisposable {
  readonly port: number
}

async function listening(server: Server): Promise<Listening> {
  const { promise, resolve } = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', resolve)
  await promise
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port')
  return {
    port: address.port,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
}

/** A collector that isn't one. */
async function strange(
  listener: RequestListener,
): Promise<AsyncDisposable & { readonly url: string }> {
  const server = await listening(createServer(listener))
  return { ...server, url: `http://127.0.0.1:${server.port}` }
}

/** Exports from a process of its own, and waits until that has ended by itself. */
async function exportFromChild(
  url: string,
  env: Readonly<Record<string, string>>,
): Promise<{ readonly code: number | null }> {
  const script = fileURLToPath(new URL('./exporting.fixture.ts', import.meta.url))
  await using child = new ManagedProcess({ command: process.execPath, args: [script, url], env })
  return await withTimeout(child.exit, 20_000, () => 'the process is still there')
}

interface Failure {
  readonly what: string
  readonly mode: CollectorMode
  readonly reasons: readonly Loss['reason'][]
  readonly timeoutMs: number
}

// What is given up without a second try has time enough on the slowest machine.
const failures: readonly Failure[] = [
  // Less than the first wait before another try.
  {
    what: 'refuses connections',
    mode: 'refuse',
    reasons: ['unreachable', 'timeout'],
    timeoutMs: 700,
  },
  { what: 'hangs', mode: 'hang', reasons: ['timeout'], timeoutMs: 300 },
  ...[
    { what: 'answers 500', mode: { status: 500 } },
    { what: 'answers 400', mode: { status: 400 } },
    { what: 'answers 307', mode: { status: 307 } },
    { what: 'asks for an hour', mode: { status: 429, retryAfterSeconds: 3_600 } },
    { what: 'answers 503 again and again', mode: { status: 503, retryAfterSeconds: 0 } },
  ].map((failure) => ({ ...failure, reasons: ['refused' as const], timeoutMs: 10_000 })),
]

describe('startOtlp with a collector that fails', () => {
  it.each(failures)(
    'loses spans when it $what, counts each, and goes on once it is up',
    async (failure) => {
      await using collector = await startOtlpCollector()
      const { mode, reasons, timeoutMs } = failure
      await collector.behave(mode)
      const { otlp, losses, record, lost } = sendTo(collector.url, { timeoutMs })
      record(1_000)
      // What waits is bounded; all the others are lost at once, and nobody waited for them.
      expect(lost('queue_full')).toBeGreaterThanOrEqual(970)
      await otlp.flush()
      expect(lost()).toBe(1_000)
      const failed = losses.filter(({ reason }) => reasons.includes(reason))
      expect(failed.reduce((sum, { count }) => sum + count, lost('queue_full'))).toBe(1_000)
      if (typeof mode === 'object') expect(failed[0]?.status).toBe(mode.status)
      await collector.behave('up')
      const recorded = async (): Promise<boolean> => {
        record(1)
        await otlp.flush()
        return collector.spans.length > 0
      }
      await pollUntil(recorded, { describe: () => 'no span arrived', timeoutMs: 15_000 })
      await otlp.shutdown()
    },
  )

  it('delivers late what was refused for a moment', async () => {
    await using collector = await startOtlpCollector()
    await collector.behave({ status: 503, retryAfterSeconds: 0 })
    const { otlp, record, lost } = sendTo(collector.url, { timeoutMs: 10_000 })
    record(5)
    await collector.waitForExport(() => true)
    await collector.behave('up')
    await otlp.flush()
    expect(collector.spans).toHaveLength(5)
    expect(lost()).toBe(0)
    await otlp.shutdown()
  })

  it('gives up on an address that takes no connections', async () => {
    await using listener = await startDeafListener()
    const { otlp, record, lost } = sendTo(listener.url, { timeoutMs: 300 })
    record(5)
    await otlp.flush()
    expect(lost('timeout')).toBe(5)
    await otlp.shutdown()
  })

  it('gives up on an answer that comes a byte at a time', async () => {
    await using drip = await strange((_request, response) => {
      const timer = setInterval(() => response.write('.'), 20)
      response.on('close', () => clearInterval(timer))
    })
    const { otlp, record, lost } = sendTo(drip.url, { timeoutMs: 300 })
    record(5)
    await otlp.flush()
    expect(lost('timeout')).toBe(5)
    await otlp.shutdown()
  })

  it('reads no more than a little of an answer without end', async () => {
    let written = 0
    const { promise: left, resolve: leave } = Promise.withResolvers<void>()
    await using flood = await strange((_request, response) => {
      const chunk = Buffer.alloc(65_536)
      const pour = (): void => {
        while (!response.destroyed && response.write(chunk)) written += chunk.length
      }
      response.on('drain', pour).on('close', leave)
      pour()
    })
    const { otlp, record, lost } = sendTo(flood.url, { timeoutMs: 60_000 })
    record(5)
    await otlp.flush()
    await withTimeout(left, 5_000, () => `still connected after ${written} bytes`)
    // It had said 200 before.
    expect(lost()).toBe(0)
    await otlp.shutdown()
  })

  it('counts what a collector says it rejected', async () => {
    // ExportTraceServiceResponse { partial_success { rejected_spans: 2 } }
    const partial = Buffer.from([0x0a, 0x02, 0x08, 0x02])
    await using picky = await strange((request, response) => {
      request.resume().on('end', () => response.end(partial))
    })
    const { otlp, record, lost } = sendTo(picky.url)
    record(5)
    await otlp.flush()
    expect(lost('rejected')).toBe(2)
    expect(lost()).toBe(2)
    await otlp.shutdown()
  })

  it('takes an answer that is no protobuf for what its status says', async () => {
    await using chatty = await strange((request, response) => {
      request.resume().on('end', () => response.end('<html>thanks</html>'))
    })
    const { otlp, record, lost } = sendTo(chatty.url, { metrics: createMetrics() })
    record(5)
    await otlp.shutdown()
    expect(lost()).toBe(0)
  })

  it('tells of metrics that did not arrive, and sends their totals once it is up', async () => {
    await using collector = await startOtlpCollector()
    await collector.behave({ status: 500 })
    const metrics = createMetrics()
    const things = metrics.counter('tidegate_things_total', { help: 'Things.' }).series()
    const { otlp, losses } = sendTo(collector.url, { metrics, metricIntervalMs: 100 })
    things.add(1)
    await pollUntil(async () => losses.length > 0, { describe: () => 'no loss was told' })
    expect(losses[0]).toEqual({ signal: 'metrics', reason: 'refused', count: 1, status: 500 })
    things.add(2)
    await collector.behave('up')
    const sent = await collector.waitForMetric(({ name }) => name.includes('things'))
    expect(sent.points).toMatchObject([{ value: 3 }])
    await otlp.shutdown()
  })

  it('survives an observer that throws', async () => {
    const otlp = startOtlp({
      ...{ serviceName: 'gate', endpoint: 'http://127.0.0.1:1', timeoutMs: 200 },
      queue: { max: 1, batch: 1, delayMs: 0 },
      onLoss: () => {
        throw new Error('from the observer')
      },
    })
    const tracing = createTracing({ recorder: otlp.recorder })
    for (let made = 0; made < 5; made += 1) tracing.begin(undefined, undefined).end()
    await otlp.shutdown()
  })

  it('ends at the deadline of its shutdown, and tells what it gave up', async () => {
    await using collector = await startOtlpCollector()
    await collector.behave('hang')
    const { otlp, record, lost } = sendTo(collector.url, {
      ...{ timeoutMs: 600_000, metrics: createMetrics(), queue: { max: 1_000, batch: 10 } },
    })
    record(100)
    await otlp.shutdown(200)
    expect(lost('closed')).toBe(100 + 1)
    expect(lost()).toBe(101)
  })

  it('does not wait at its end for a collector that takes no connections', async () => {
    await using collector = await startOtlpCollector()
    await collector.behave('refuse')
    const { otlp, record, lost } = sendTo(collector.url, {
      ...{ timeoutMs: 600_000, metrics: createMetrics() },
    })
    record(5)
    // The deadline would be the end of the test's time.
    await otlp.shutdown(3_600_000)
    expect(lost('unreachable')).toBe(5 + 1)
    expect(lost()).toBe(6)
  })

  it('talks TLS, and only with who can prove to be the one', async () => {
    await using certificates = await makeCertificates()
    const { cert, key, caFile } = certificates
    let taken = 0
    await using collector = await listening(
      createSecureServer({ cert, key }, (request, response) => {
        taken += 1
        request.resume().on('end', () => response.end())
      }),
    )
    const url = `https://127.0.0.1:${collector.port}`
    const { otlp, record, lost } = sendTo(url, { timeoutMs: 700 })
    record(5)
    await otlp.flush()
    expect(lost()).toBe(5)
    await otlp.shutdown()
    expect(taken).toBe(0)
    expect(await exportFromChild(url, { NODE_EXTRA_CA_CERTS: caFile })).toMatchObject({ code: 0 })
    // Traces and metrics.
    expect(taken).toBe(2)
  })

  it.each(['hang', 'refuse'] as const)(
    'keeps no process alive with a collector set to %s',
    async (mode) => {
      await using collector = await startOtlpCollector()
      await collector.behave(mode)
      expect(await exportFromChild(collector.url, {})).toMatchObject({ code: 0 })
    },
  )
})
