/** Where lines go. Nothing in a sink throws: a logger must not fail the work it tells about. */
export interface Sink {
  /** Takes one line, its newline included. */
  write(line: string): void
  /**
   * Calls `work`, which writes lines, before lines are next written out: soon, and always before an
   * exit. A sink without it is one that writes at once.
   */
  defer?(work: () => void): void
  /** Writes out what is held, before returning; as far as the destination takes it. */
  flushSync(): void
  /** Resolves when all lines written so far have been handed over or counted as lost. */
  flush(): Promise<void>
  /** Flushes and lets go of the destination; what is written afterwards is lost. */
  close(): Promise<void>
}

/** A sink that holds lines and so has something to do when the process exits. */
export interface HoldingSink extends Sink {
  /** The last flush; tells the operator what could not be written. */
  endSync(): void
}

const open = new Set<HoldingSink>()

function endAll(): void {
  for (const sink of open) sink.endSync()
}

/** Ends the sink when the process exits, by itself, by `process.exit` or by an uncaught error. */
export function endAtExit(sink: HoldingSink): void {
  if (open.size === 0) process.on('exit', endAll)
  open.add(sink)
}

/** Ends what `endAtExit` began. */
export function forgetAtExit(sink: HoldingSink): void {
  open.delete(sink)
  if (open.size === 0) process.off('exit', endAll)
}
