/** How usage stamps are written. */
export interface UsageStampsOptions {
  /** Writes that these keys were used, the last time at about this one. */
  readonly write: (ids: ReadonlySet<string>, at: number) => Promise<void>
  /** Told when that failed; those uses are tried again with the next ones. */
  readonly onError: (error: unknown) => void
  /** Default 5 s. */
  readonly everyMs?: number
  readonly now?: () => number
}

/** Notes when keys are used, in batches: no request waits for it, and a busy key costs a write now and then. */
export interface UsageStamps {
  add(id: string): void
  /** Writes what is noted so far. */
  flush(): Promise<void>
  /** Writes the rest, and no more after that. */
  close(): Promise<void>
}

/** More keys than this in one interval are written at once. */
const MOST = 1_000

export function createUsageStamps(options: UsageStampsOptions): UsageStamps {
  const { write, onError, everyMs = 5_000, now = Date.now } = options
  let uses = new Set<string>()
  let writing: Promise<void> = Promise.resolve()
  const flush = (): Promise<void> => {
    writing = writing.then(async () => {
      if (uses.size === 0) return
      const batch = uses
      uses = new Set()
      try {
        await write(batch, now())
      } catch (error) {
        uses = new Set([...batch, ...uses])
        onError(error)
      }
    })
    return writing
  }
  const timer = setInterval(() => void flush(), everyMs)
  timer.unref()
  return {
    add(id) {
      uses.add(id)
      if (uses.size === MOST) void flush()
    },
    flush,
    close() {
      clearInterval(timer)
      return flush()
    },
  }
}
