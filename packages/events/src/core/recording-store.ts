import type { ClaimOptions, Recorder, RecordingFault, RecordingState } from './recording.ts'

/** A recording of this process, as what copies it sees it. */
export interface CopySource<Head> {
  readonly state: RecordingState
  readonly fault: RecordingFault | undefined
  readonly head: Head | undefined
  /** How many chunks there are. */
  readonly length: number
  /** Whether all chunks are there. */
  readonly intact: boolean
  /** Whether nobody in this process reads it. */
  readonly unread: boolean
  chunk(at: number): Uint8Array
  /** Nobody elsewhere reads it, or that can't be known: when nobody does here, it is abandoned. */
  abandon(): void
  /** Its chunks are needed no more. */
  copied(): void
  /** Its name stands for it no more, by what another process did. */
  forgotten(): void
}

/** Copies a recording to where other processes read it. Its methods return at once and don't throw. */
export interface SharedCopy<Head> {
  /** Whether it still needs the chunks. */
  readonly busy: boolean
  begin(source: CopySource<Head>): void
  /** There is more: a head, a chunk, the end; or it is kept no more. */
  changed(): void
  /** Nobody here reads it any more. True: it finds out about others, and says `abandon` if there are none. */
  alone(): boolean
}

/** Where a recording of another process is copied to. */
export interface ReplicaTarget<Head> {
  readonly recorder: Recorder<Head>
  close(fault: RecordingFault): void
}

/** What a store says to a claim. */
export type StoreClaim<Head> =
  | { readonly role: 'recorder'; readonly id: string; readonly copy: SharedCopy<Head> }
  | { readonly role: 'reader'; readonly id: string; feed(target: ReplicaTarget<Head>): void }
  | { readonly role: 'mismatch' }
  | { readonly role: 'too_large' }
  /** Nobody has one but the asker, who said so. */
  | { readonly role: 'held' }

/** What the processes that share recordings share them through. */
export interface RecordingStore {
  /**
   * Rejects, soon, when it is away. `held`: the asker keeps a complete one of this name, which holds unless
   * there is another one or it was forgotten; what the store has lost needn't be made anew.
   */
  claim<Head>(name: string, options: ClaimOptions, held: boolean): Promise<StoreClaim<Head>>
  forget(name: string): Promise<void>
  /** Gives what is being copied a moment to get there. */
  close(): Promise<void>
}
