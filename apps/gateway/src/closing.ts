import {
  createShutdown,
  type Shutdown,
  type SignalSource,
  shutdownOnSignals,
} from '@tidegate/health'
import type { Logger } from '@tidegate/logger'
import type { Drain } from '@tidegate/server/node'
import type { SharedAnswers } from './cache/open.ts'
import type { ServerSettings } from './config/settings.ts'

/** What has to be let go of once nobody is served any more. */
interface Closable {
  close(): Promise<unknown>
}

/** What a gateway is taken apart into. */
export interface ClosingParts {
  readonly logger: Logger
  readonly drain: Drain
  readonly times: ServerSettings['drain']
  readonly answers: SharedAnswers | undefined
  readonly pools: readonly { destroy(): Promise<unknown> }[]
  /** The demo model, where there is one. */
  readonly demo: Closable | undefined
  readonly limits: Closable
  readonly callers: Closable
  readonly health: Closable
  readonly telemetry: Closable & { endStreams(): void }
  readonly redis: Closable | undefined
}

/** For all that is closed behind the drain, together. */
const REST_MS = 10_000

/** Far above the others', so that the drain is ended by its own settings alone. */
const ALL_BUT_THE_REST = 100_000

/**
 * How a gateway ends: it drains, lets answers end that others will come for, and then lets go of what was
 * needed for that, what tells of it last. Its time is the drain's and a little more, whatever hangs.
 */
export function closingOf(parts: ClosingParts): Shutdown {
  const { logger, drain, times, answers, pools, demo } = parts
  const wholeMs = times.delay + times.timeout
  const shutdown = createShutdown({ timeout: wholeMs + REST_MS })
  const began = { at: 0 }
  shutdown.onClose(
    'server',
    async () => {
      began.at = performance.now()
      // They have no end of their own, which the drain would wait for.
      parts.telemetry.endStreams()
      const { destroyed } = await drain.start()
      if (destroyed > 0) logger.warn({ destroyed }, 'drain timed out: connections were cut off')
    },
    { share: ALL_BUT_THE_REST },
  )
  // Their clients are those of other gateways, or have left and will ask for them again.
  shutdown.onClose(
    'answers',
    () => within(answers?.idle(), wholeMs - (performance.now() - began.at)),
    { after: ['server'], share: ALL_BUT_THE_REST },
  )
  shutdown.onClose('pools', () => allOf([...pools.map((pool) => pool.destroy()), demo?.close()]), {
    after: ['answers'],
  })
  shutdown.onClose(
    'policies',
    () => allOf([parts.limits, parts.callers, answers, parts.health].map((each) => each?.close())),
    { after: ['pools'] },
  )
  shutdown.onClose('telemetry', () => parts.telemetry.close(), { after: ['policies'] })
  shutdown.onClose('redis', () => parts.redis?.close(), { after: ['telemetry'] })
  return shutdown
}

/** Ends the work of the gateway, and says what did not end. Called twice, it is the same end. */
export function closerOf(shutdown: Shutdown, logger: Logger): () => Promise<void> {
  let closed: Promise<void> | undefined
  const close = async (): Promise<void> => {
    const { faults } = await shutdown.start()
    for (const { step, reason, error } of faults) {
      logger.warn({ step, reason, err: error }, 'something did not close')
    }
    logger.info('stopped')
    await logger.close()
  }
  return () => {
    closed ??= close()
    return closed
  }
}

/** What signals come to, and what they end. */
export interface Ending extends SignalSource {
  exit(code: number): void
}

/** The first signal drains, a second one ends the process at once (exit code 128 + its number). */
export function endOnSignal(
  program: Ending,
  shutdown: Shutdown,
  logger: Logger,
  close: () => Promise<void>,
): void {
  shutdownOnSignals(shutdown, program, {
    onSignal: (signal) => logger.info({ signal }, 'draining'),
    onClosed: () => void close().then(() => program.exit(0)),
    onSecond: (code) => program.exit(code),
  })
}

async function allOf(ends: readonly (Promise<unknown> | undefined)[]): Promise<void> {
  await Promise.allSettled(ends)
}

/** Waits for something, so long at most. */
async function within(wanted: Promise<void> | undefined, ms: number): Promise<void> {
  if (wanted === undefined || ms <= 0) return
  const over = Promise.withResolvers<void>()
  const timer = setTimeout(over.resolve, ms)
  await Promise.race([wanted, over.promise])
  clearTimeout(timer)
}
