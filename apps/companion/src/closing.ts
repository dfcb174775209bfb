import {
  createShutdown,
  type Shutdown,
  type SignalSource,
  shutdownOnSignals,
} from '@tidegate/health'
import type { Logger } from '@tidegate/logger'
import type { Drain } from '@tidegate/server/node'
import type { Settings } from './config/settings.ts'

/** What a companion is taken apart into. */
export interface ClosingParts {
  readonly logger: Logger
  readonly drain: Drain
  readonly times: Settings['server']['drain']
  readonly health: { close(): void }
  /** What is still to be written once nobody asks any more. */
  readonly writers: readonly { close(): Promise<unknown> }[]
  readonly database: { close(): Promise<unknown> }
}

/** For all that is closed behind the drain, together: an embedded database writes itself out. */
const REST_MS = 15_000

/** Far above the others', so that the drain is ended by its own settings alone. */
const ALL_BUT_THE_REST = 100_000

/** How a companion ends: it drains, then what waits is written, and the database is let go of last. */
export function closingOf(parts: ClosingParts): Shutdown {
  const { logger, drain, times, health, writers, database } = parts
  const shutdown = createShutdown({ timeout: times.delayMs + times.timeoutMs + REST_MS })
  shutdown.onClose(
    'server',
    async () => {
      const { destroyed } = await drain.start()
      if (destroyed > 0) logger.warn({ destroyed }, 'drain timed out: connections were cut off')
    },
    { share: ALL_BUT_THE_REST },
  )
  shutdown.onClose('health', () => health.close(), { after: ['server'] })
  shutdown.onClose('writers', () => Promise.all(writers.map((writer) => writer.close())), {
    after: ['server'],
  })
  shutdown.onClose('database', () => database.close(), { after: ['health', 'writers'], share: 10 })
  return shutdown
}

/** Ends the work of the companion, and says what did not end. Called twice, it is the same end. */
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
