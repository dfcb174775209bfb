import type { Source } from './source.ts'

/** Every kind of problem a configuration can have. */
export type ProblemCode =
  | 'ambiguous_variable'
  | 'duplicate_key'
  | 'file_unreadable'
  | 'file_too_large'
  | 'invalid_expansion'
  | 'invalid_file'
  | 'invalid_value'
  | 'missing'
  | 'not_built_yet'
  | 'refused'
  | 'unknown_key'
  | 'unknown_profile'
  | 'unknown_variable'
  | 'unset_variable'

/** One thing that is wrong, where it is, and what to do about it. Never holds a secret's value. */
export interface Problem {
  readonly code: ProblemCode
  /** The value's path, such as `upstreams.openai.timeouts.idle`; `(root)` for a whole file. */
  readonly path: string
  /** A sentence without a full stop: what was expected and what was found. */
  readonly message: string
  /** What would have been right, such as `a duration such as 30s`. */
  readonly expected?: string
  /** What was probably meant: a key, a value or a variable's name. */
  readonly suggestion?: string
  readonly source: Source
}
