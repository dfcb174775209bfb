import { z } from 'zod'
import type { Profile } from './source.ts'

/** What is known of a value besides its type. */
export interface FieldMeta {
  /**
   * The environment variable that sets this value. Of several names the first that is set wins. Only
   * a value at a fixed path can have one: not inside a record, a list or a union.
   */
  readonly env?: string | readonly string[]
  /** One sentence for the reference, the example file and the editor. */
  readonly description: string
  /** A value that is written as an example. Never a working secret. */
  readonly example?: string
  /** The value, as it would be written in a file, that a profile sets instead of the default. */
  readonly profiles?: Readonly<Partial<Record<Profile, unknown>>>
  /** The value with which the variable stands uncommented in the generated `.env.example`. */
  readonly dotenv?: string
}

/** What a value looks like to a person and to an editor, whatever it becomes. */
export interface FieldKind {
  /** The type's name in the reference: `duration`. */
  readonly type: string
  /** What an error says was expected: `a duration such as 30s`. */
  readonly expected: string
  /** JSON Schemas of which a written value fits one. */
  readonly json: readonly JsonSchema[]
  /** True when the value must not be shown anywhere. */
  readonly secret?: boolean
  /** Writes a parsed value, such as a default, in the form people write it in. */
  readonly show?: (value: unknown) => string
}

/** A JSON Schema (draft 2020-12) as plain data. */
export type JsonSchema = { readonly [key: string]: unknown }

// Registries of our own: metadata stays out of zod's global one, which other libraries read.
const metas = z.registry<{ meta: FieldMeta }>()
const kinds = z.registry<{ kind: FieldKind }>()

/**
 * Says what a value is for and which environment variable sets it. Returns a copy of the schema, so
 * the same schema can serve several fields.
 */
export function field<S extends z.ZodType>(schema: S, meta: FieldMeta): S {
  const named = schema.clone()
  metas.add(named, { meta })
  return named
}

/** Marks a schema with what its written values look like. Wrappers and refinements keep it. */
export function withKind<S extends z.ZodType>(schema: S, kind: FieldKind): S {
  kinds.add(schema, { kind })
  return schema
}

/** What {@link field} said of this very schema, its wrappers not asked. */
export function metaOf(schema: z.core.$ZodType): FieldMeta | undefined {
  return metas.get(schema)?.meta
}

/** What {@link withKind} said of this very schema, its wrappers not asked. */
export function kindOf(schema: z.core.$ZodType): FieldKind | undefined {
  return kinds.get(schema)?.kind
}
