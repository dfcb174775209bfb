import type { Capture, FirstTier } from '../coherence.ts'
import type { CacheBus, CacheDriver, Stamp } from '../driver.ts'
import type { Entry } from '../entry.ts'
import type { Envelope } from '../envelope.ts'
import type { CacheEvent } from '../events.ts'
import type { Serializer } from '../serializer.ts'
import type { Debts } from './debts.ts'
import type { Epochs } from './epochs.ts'
import type { Matches } from './matches.ts'
import type { Message } from './messages.ts'
import type { Names } from './names.ts'
import type { Outage } from './outage.ts'
import type { Unsent } from './unsent.ts'
import type { Watched } from './watched.ts'

/** How a second tier is shared. Times are in milliseconds. */
export interface SharedOptions {
  /** Caches of one name on one second tier are one. */
  readonly name: string
  readonly driver: CacheDriver
  readonly bus: CacheBus | undefined
  readonly firstTier: FirstTier
  /** With a stale entry in the first tier: how long the second one is waited for. */
  readonly softTimeoutMs: number | undefined
  /** How long the second tier is waited for at all. */
  readonly hardTimeoutMs: number
  /** How long a factory may take by default. What takes far longer isn't shared. */
  readonly factoryMs: number
  readonly maxValueBytes: number
  readonly compressAbove: number | false
  readonly serializer: Serializer | undefined
  readonly now: () => number
  readonly random: () => number
  readonly emit: (event: CacheEvent) => void
}

/** Makes a call to the second tier with a time limit. */
export type Asking = <T>(call: () => Promise<T>) => Promise<T>

/** What the parts of a shared cache have in common. */
export interface Parts {
  readonly driver: CacheDriver
  readonly names: Names
  readonly envelope: Envelope
  readonly outage: Outage
  readonly epochs: Epochs
  readonly matches: Matches
  readonly watched: Watched
  readonly debts: Debts
  readonly unsent: Unsent
  readonly firstTier: FirstTier
  readonly now: () => number
  readonly emit: (event: CacheEvent) => void
  /** How long the making of what may be stored takes at most; the marks of removals last longer. */
  readonly flightMs: number
  readonly markMs: number
  /** The generation of the first tier, asked once for each thing that is done. */
  generation(): number
  /** Whether a newer number may have been given out that isn't known here yet. */
  numberIsOld(): boolean
  /** Somebody knows of a greater one. */
  outdateNumber(): void
  /** Asks for a new number. */
  renew(ask: Asking): Promise<void>
  /** Tells the others; rejects when it can't be told. */
  tell(message: Message, ask: Asking): Promise<void>
}

/** A capture of ours, which remembers when it was taken. */
export class Taken implements Capture {
  readonly seq: number
  readonly stamp: Stamp
  readonly generation: number
  readonly shared: boolean
  /** By `performance.now()`. */
  readonly at: number

  constructor(seq: number, stamp: Stamp, generation: number, shared: boolean, at: number) {
    this.seq = seq
    this.stamp = stamp
    this.generation = generation
    this.shared = shared
    this.at = at
  }
}

/** Nothing was looked at in the second tier. */
export function unseen(parts: Parts, generation: number = parts.generation()): Taken {
  return new Taken(parts.epochs.latest, undefined, generation, false, performance.now())
}

/** The generation of what may be over already: no first tier ever has it. */
export const DOUBTED = -1

/** The same entry, as another write has it. */
export function stamped(entry: Entry, seq: number, stamp: Stamp, generation: number): Entry {
  return { ...entry, seq, stamp, generation }
}
