import type { Shutdown, ShutdownResult } from './shutdown.ts'

/** What signals come from: `process`. */
export interface SignalSource {
  on(signal: 'SIGTERM' | 'SIGINT', listener: (signal: 'SIGTERM' | 'SIGINT') => void): unknown
  off(signal: 'SIGTERM' | 'SIGINT', listener: (signal: 'SIGTERM' | 'SIGINT') => void): unknown
}

/** What is done about signals. */
export interface SignalOptions {
  /** Called with the signal that starts the shutdown. */
  readonly onSignal?: ((signal: 'SIGTERM' | 'SIGINT') => void) | undefined
  /** Called when the shutdown has ended: the place to end the process, such as by `process.exit(0)`. */
  readonly onClosed: (result: ShutdownResult) => void
  /**
   * Called at a second signal, with what a process ended by it exits with: 130 or 143. The steps' signals
   * have aborted by then. Default: `onClosed` only.
   */
  readonly onSecond?: ((exitCode: number) => void) | undefined
  /** Monotonic milliseconds. */
  readonly now?: (() => number) | undefined
}

/** A signal that comes within this of the first is the same keypress, passed on by a parent process. */
const SAME_SIGNAL_MS = 100

/**
 * The first SIGTERM or SIGINT starts the shutdown, a second one cuts it short.
 *
 * @returns what takes the listeners away again
 */
export function shutdownOnSignals(
  shutdown: Shutdown,
  source: SignalSource,
  options: SignalOptions,
): () => void {
  const { onSignal, onClosed, onSecond, now = () => performance.now() } = options
  let firstAt: number | undefined
  const listener = (signal: 'SIGTERM' | 'SIGINT'): void => {
    const at = now()
    if (firstAt === undefined) {
      firstAt = at
      onSignal?.(signal)
      void shutdown.start().then(onClosed)
    } else if (at - firstAt > SAME_SIGNAL_MS) {
      void shutdown.abort()
      onSecond?.(signal === 'SIGINT' ? 130 : 143)
    }
  }
  source.on('SIGTERM', listener)
  source.on('SIGINT', listener)
  return () => {
    source.off('SIGTERM', listener)
    source.off('SIGINT', listener)
  }
}
