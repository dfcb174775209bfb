import type { AuditTrail } from './trail.ts'

/** What an {@link AuditKeeper} is made of. */
export interface AuditKeeperOptions {
  readonly trail: Pick<AuditTrail<never>, 'checkpoint' | 'retain'>
  /** Milliseconds between two rounds: how long a record may stay without a signature. Default: one minute. */
  readonly everyMs?: number | undefined
  /** Told what a round fails with. The next one comes all the same. */
  readonly onError: (error: unknown) => void
}

/** Signs a trail's records in the course of things, and drops those beyond its bound. */
export interface AuditKeeper {
  /** Ends the rounds, after a last one. Again: does nothing more. */
  stop(): Promise<void>
}

const DEFAULT_EVERY_MS = 60_000

/** Begins to keep a trail: at once, and then in rounds that never overlap. It keeps no process alive. */
export function startAuditKeeper(options: AuditKeeperOptions): AuditKeeper {
  const { trail, everyMs = DEFAULT_EVERY_MS, onError } = options
  let timer: NodeJS.Timeout | undefined
  let stopped: Promise<void> | undefined

  async function round(): Promise<void> {
    try {
      await trail.checkpoint()
      await trail.retain()
    } catch (error) {
      onError(error)
    }
  }

  async function keep(): Promise<void> {
    await round()
    if (!stopped) timer = setTimeout(next, everyMs).unref()
  }

  const next = () => {
    running = keep()
  }
  let running = keep()

  async function stop(): Promise<void> {
    clearTimeout(timer)
    await running
    await round()
  }

  return {
    stop() {
      stopped ??= stop()
      return stopped
    },
  }
}
