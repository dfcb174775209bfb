import type { z } from 'zod'
import { type Leaf, leavesOf, variablesOf } from './leaves.ts'
import { formatPath, type Path } from './path.ts'
import type { ProblemCode } from './problem.ts'
import type { Profile } from './source.ts'

/** A schema whose values are an object with fixed keys: `z.strictObject({…})`. */
export type RootSchema = z.ZodObject

/** A part of a value: any key may be left out, at any depth. Lists are whole or absent. */
export type Partially<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [K in keyof T]?: Partially<T[K]> | undefined }
    : T

/** A problem that `refine` found. The place it was written at is added to it. */
export interface Finding {
  /** Where: `['routes', 0, 'upstreams']`. Empty for the configuration as a whole. */
  readonly path: Path
  /** A sentence without a full stop: what is wrong and what to do. Never a secret's value. */
  readonly message: string
  /** `refused` unless given. */
  readonly code?: ProblemCode
  readonly expected?: string
  readonly suggestion?: string
  /** `error` unless given. A warning is reported and does not stop a start. */
  readonly severity?: 'error' | 'warning'
}

/**
 * Checks what no single value shows: it gets the whole parsed configuration and answers with everything
 * it finds. Called also when values are wrong, together with all others and without side effects: such
 * a value can't be read, and a rule that tries to is left at once and finds nothing. So a rule answers one
 * question, and goes through lists by `eachKnown`. It must not catch what reading throws.
 */
export type Rule<Config> = (
  config: Config,
  context: { readonly profile: Profile },
) => readonly Finding[]

/** What a configuration looks like and what it must satisfy. */
export interface ConfigDefinition<S extends RootSchema = RootSchema> {
  /** The program's name, which reports begin with. */
  readonly name: string
  /** The whole configuration. Use `z.strictObject`, so that an unknown key is a problem. */
  readonly schema: S
  /** What each profile sets instead of the defaults, written as in a file. */
  readonly profiles?: { readonly [P in Profile]?: Partially<z.input<S>> }
  /** One {@link Rule} or several. */
  readonly refine?: Rule<z.output<S>> | readonly Rule<z.output<S>>[]
}

/**
 * Declares a configuration. Throws a `TypeError` for a mistake in the declaration itself: a variable or
 * a profile's value on a field whose path is not fixed.
 */
export function defineConfig<S extends RootSchema>(
  definition: ConfigDefinition<S>,
): ConfigDefinition<S> {
  for (const leaf of leavesOf(definition.schema)) rejectUnreachable(leaf)
  return Object.freeze({ ...definition })
}

function rejectUnreachable(leaf: Leaf): void {
  if (leaf.fixed || (variablesOf(leaf).length === 0 && leaf.meta?.profiles === undefined)) return
  throw new TypeError(
    `${formatPath(leaf.path)} can have no env and no profiles: only a single value at a fixed path can, none inside a record, a list or a union`,
  )
}
