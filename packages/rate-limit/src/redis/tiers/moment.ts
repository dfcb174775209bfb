/** The time by two clocks, of which one stands still while the machine sleeps, and the other may be set. */
export interface Moment {
  /** Milliseconds since whenever. */
  readonly monotonic: number
  /** Milliseconds since 1970. */
  readonly wall: number
}

/** Where a process takes its time from. */
export interface Clocks {
  readonly monotonic: () => number
  readonly wall: () => number
}

export function momentOf({ monotonic, wall }: Clocks): Moment {
  return { monotonic: monotonic(), wall: wall() }
}
