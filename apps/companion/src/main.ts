import process from 'node:process'
import { createLogger, type Logger } from '@tidegate/logger'
import { createDrain } from '@tidegate/server/node'
import { createCompanion } from './app.ts'
import { auditOperations } from './audit/operations.ts'
import { createAuthenticate } from './auth/authenticate.ts'
import { bootstrapAdmin } from './auth/bootstrap.ts'
import { createUsageStamps, type UsageStamps } from './auth/usage-stamps.ts'
import { banner } from './banner.ts'
import { createChange } from './changes.ts'
import { beginChores } from './chores.ts'
import { closerOf, closingOf, endOnSignal } from './closing.ts'
import type { Settings } from './config/settings.ts'
import { openHealth } from './health/open.ts'
import { createOnce } from './idempotency.ts'
import { findKey, renewDigest, stampKeys } from './keys/key-rows.ts'
import { keyOperations } from './keys/operations.ts'
import { logAuthFailure } from './logging.ts'
import { readDocsPage } from './openapi/document.ts'
import { createCompanionServer, listen } from './serve.ts'
import { setupOperations } from './setup/operations.ts'
import { openAudit, openStore, type Store } from './store.ts'
import { type CompanionMetrics, openMetrics } from './telemetry/open.ts'
import { version } from './version.ts'

export interface StartOptions {
  readonly settings: Settings
  /** What the operator should know about the configuration, one sentence each. */
  readonly warnings: readonly string[]
  /** Whether a person watches: they get a banner and readable lines instead of JSON. */
  readonly tty: boolean
}

/** A companion that serves. */
export interface RunningCompanion {
  readonly url: string
  /** Drains and stops; ends the process's work, not the process. */
  close(): Promise<void>
}

/**
 * Opens the database and serves what is in it until a signal ends it. Rejects when it can't: the database is
 * another process's, the secret isn't the data's, the port is taken.
 */
export async function startCompanion(options: StartOptions): Promise<RunningCompanion> {
  const { settings } = options
  const logger = createLogger({ level: settings.logLevel, profile: settings.profile })
  const metrics = openMetrics(logger, version)
  const store = await openStore(settings, {
    onSlow: ({ shape, durationMs }) => {
      metrics.slowQuery(durationMs / 1000)
      logger.warn({ query: shape, duration_ms: Math.round(durationMs) }, 'a query was slow')
    },
    onNotice: (sentence) => logger.warn(sentence),
    onSnapshotFailure: (error) => logger.error({ err: error }, 'no snapshot could be made'),
    onConnectionError: (code) => logger.warn({ error_code: code }, 'a database connection broke'),
  })
  try {
    return await serveStore(options, { logger, metrics, store })
  } catch (error) {
    await store.database.close()
    throw error
  }
}

interface Opened {
  readonly logger: Logger
  readonly metrics: CompanionMetrics
  readonly store: Store
}

async function serveStore(options: StartOptions, opened: Opened): Promise<RunningCompanion> {
  const { settings } = options
  const { logger, metrics, store } = opened
  const { database, ring, apiKeys } = store
  const audit = openAudit(store, logger)
  const workshop = {
    ...{ database, ring, apiKeys },
    change: createChange(database, audit),
    once: createOnce(ring),
  }
  const { file: adminKeyFile, advice } = await bootstrapAdmin(settings, store, audit)
  const warnings = [...options.warnings, ...(advice === undefined ? [] : [advice])]
  const stamps = createUsageStamps({
    write: (ids, at) => stampKeys(database.orm, ids, at),
    onError: (error) => logger.warn({ err: error }, 'the use of keys could not be noted yet'),
  })
  const gate = { draining: () => false }
  const health = openHealth({
    ...{ settings, version, logger, database },
    isDraining: () => gate.draining(),
  })
  const app = createCompanion({
    ...{ settings, version, logger, health, metrics },
    authenticate: authenticateBy(settings, opened, stamps),
    operations: [
      ...keyOperations(workshop, settings.keys),
      ...setupOperations(workshop),
      ...auditOperations(audit),
    ],
    page: await readDocsPage(PAGE),
  })
  const server = createCompanionServer(app, (reason, ip) =>
    logger.warn({ error_code: reason, client_ip: ip }, 'connection refused'),
  )
  const times = settings.server.drain
  const drain = createDrain(server, times)
  const chores = beginChores({
    ...{ database, audit },
    onError: (chore, error) => logger.error({ chore, err: error }, 'a chore failed'),
  })
  const url = await listen(server, settings.server)
  const { publicKeys } = audit
  announce(logger, { ...options, warnings }, { url, adminKeyFile, kind: database.kind, publicKeys })
  const shutdown = closingOf({ logger, drain, times, health, writers: [stamps, chores], database })
  gate.draining = () => !shutdown.ready
  const close = closerOf(shutdown, logger)
  endOnSignal(process, shutdown, logger, close)
  endOnFault(logger)
  return { url, close }
}

/** The page's files: they and the sources, or the build, lie equally deep below the app. */
const PAGE = new URL('../assets/docs/', import.meta.url)

function authenticateBy(
  { adminKey }: Settings,
  { logger, store: { database, apiKeys } }: Opened,
  stamps: UsageStamps,
) {
  return createAuthenticate({
    keys: apiKeys,
    adminKey,
    find: (id) => findKey(database.orm, id),
    onUse: (record, newDigest) => {
      stamps.add(record.id)
      if (newDigest === undefined) return
      renewDigest(database.orm, record, newDigest).catch((error: unknown) =>
        logger.warn({ key: record.id, err: error }, 'a key could not be moved to the new secret'),
      )
    },
    onRefused: (exchange, failure) => logAuthFailure(logger, exchange, failure),
  })
}

interface Started {
  readonly url: string
  readonly adminKeyFile: string | undefined
  readonly kind: 'embedded' | 'postgres'
  /** By which an exported audit log is verified. */
  readonly publicKeys: readonly string[]
}

function announce(
  logger: Logger,
  { settings, warnings, tty }: StartOptions,
  started: Started,
): void {
  const { url, adminKeyFile, kind, publicKeys } = started
  if (tty) {
    const color = process.env.NO_COLOR === undefined
    const { profile, directory } = settings
    process.stdout.write(`${banner({ ...started, profile, directory, warnings, color })}\n`)
    return
  }
  for (const warning of warnings) logger.warn(warning)
  logger.info(
    {
      ...{ url, version, profile: settings.profile, database: kind },
      ...{ admin_file: adminKeyFile, audit_signers: publicKeys },
    },
    'listening',
  )
}

/** A fault that nobody caught leaves the process in doubt: it says why and goes, for a fresh one to come. */
function endOnFault(logger: Logger): void {
  const onFault = (error: unknown): void => {
    logger.fatal({ err: error }, 'uncaught fault: exiting')
    process.exit(1)
  }
  process.on('uncaughtException', onFault).on('unhandledRejection', onFault)
}
