/**
 * What was done to a chain. `altered`: a record isn't as it was written. `removed`: records are missing. `inserted`: a
 * record is one too many. `reordered`: records don't stand in their order. `rewritten`: records agree with each other
 * and not with what was signed. `malformed`: something is no record. `bad_checkpoint`: a checkpoint isn't as it was
 * signed. `unknown_key`: a checkpoint is signed with a key that wasn't given.
 */
type ChainProblemReason =
  | 'altered'
  | 'removed'
  | 'inserted'
  | 'reordered'
  | 'rewritten'
  | 'malformed'
  | 'bad_checkpoint'
  | 'unknown_key'

/** The first thing that is wrong with a chain. */
export interface ChainProblem {
  readonly reason: ChainProblemReason
  /** The number of the first record concerned; of a missing one, the number that it had. */
  readonly seq: number
  /** The last record concerned, where it is a range of which no single one can be told: `removed` and `rewritten`. */
  readonly through?: number
  /** Which of the records read it is, counted from 1; undefined if it is none of them. */
  readonly position?: number
  /** All of it in a sentence. */
  readonly message: string
}

/** What a chain was found to be. */
export type ChainVerdict =
  | {
      readonly intact: true
      /** How many records were read. */
      readonly records: number
      /** The number of the first record that is there; what came before was dropped in order. */
      readonly first: number
      /** The number of the last, and `first - 1` if there is none. */
      readonly last: number
      /**
       * Up to which record a signature or a known hash vouches. Whoever can write to the store could have rewritten
       * those behind it.
       */
      readonly provenThrough: number
    }
  | { readonly intact: false; readonly problem: ChainProblem }

/** Where in the chain something stands, and where among what was read. */
interface Place {
  readonly seq: number
  readonly position: number
}

const plural = (from: number, through: number) =>
  from === through ? `Record ${from} is` : `Records ${from} to ${through} are`

/** What can be wrong with a chain, each in its words. */
export const problems = {
  altered: ({ seq, position }: Place, why: string): ChainProblem => ({
    reason: 'altered',
    ...{ seq, position },
    message: `Record ${seq} was altered: ${why}.`,
  }),
  removed: (seq: number, through: number): ChainProblem => ({
    reason: 'removed',
    ...{ seq, through },
    message: `${plural(seq, through)} missing, though never dropped under a signature.`,
  }),
  inserted: ({ seq, position }: Place): ChainProblem => ({
    reason: 'inserted',
    ...{ seq, position },
    message: `The record at position ${position}, which calls itself ${seq}, was inserted: it has no place in the chain.`,
  }),
  reordered: ({ seq, position }: Place, found: number): ChainProblem => ({
    reason: 'reordered',
    ...{ seq, position },
    message: `Records were reordered: ${found} stands where ${seq} belongs, and ${seq} comes later.`,
  }),
  rewritten: (seq: number, through: number): ChainProblem => ({
    reason: 'rewritten',
    ...{ seq, through },
    message: `${plural(seq, through)} not what was signed: the chain was computed anew from one of them on.`,
  }),
  malformed: ({ seq, position }: Place): ChainProblem => ({
    reason: 'malformed',
    ...{ seq, position },
    message: `What stands where record ${seq} belongs is no audit record.`,
  }),
  noExport: (): ChainProblem => ({
    reason: 'malformed',
    seq: 0,
    message:
      'The first line is not that of an exported audit trail: give the file as it was exported.',
  }),
  headTurnedBack: (seq: number, last: number): ChainProblem => ({
    reason: 'altered',
    seq,
    message: `The head of the chain was altered: it names record ${seq}, and there are records up to ${last}.`,
  }),
  headDisagrees: (seq: number): ChainProblem => ({
    reason: 'altered',
    seq,
    message: `Record ${seq} and the head of the chain, which names another hash for it, disagree: one of both was altered.`,
  }),
  malformedCheckpoint: (index: number): ChainProblem => ({
    reason: 'bad_checkpoint',
    seq: 0,
    message: `Checkpoint ${index + 1} of those given is no checkpoint.`,
  }),
  badCheckpoint: (seq: number): ChainProblem => ({
    reason: 'bad_checkpoint',
    seq,
    message: `The checkpoint at record ${seq} isn't as it was signed.`,
  }),
  unknownKey: (seq: number, keyId: string): ChainProblem => ({
    reason: 'unknown_key',
    seq,
    message: `The checkpoint at record ${seq} names the key ${JSON.stringify(keyId.slice(0, 64))}, which wasn't given: give the public key it was signed with, or take it for forged.`,
  }),
} as const
