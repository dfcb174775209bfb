import type { z } from 'zod'
import { type FieldKind, type FieldMeta, kindOf, metaOf } from './field.ts'
import type { Path } from './path.ts'

/** One value of a configuration, as its schema describes it. */
export interface Leaf {
  /** Its path. Keys that a user chooses are `<name>`, items of a list `[]`. */
  readonly path: Path
  /** True when the path is fixed, so that a variable or a profile can set it. */
  readonly fixed: boolean
  /** What is taken here. More than one where the options of a union have the same key. */
  readonly forms: readonly Form[]
  readonly meta?: FieldMeta
  /** The kind of the first form. */
  readonly kind?: FieldKind
  readonly required: boolean
  /** The mapping around it that may be left out: then nothing in it is required. */
  readonly optionalIn?: Path
  /** The default, in the form it has in a file or after parsing. */
  readonly preset?: { readonly value: unknown; readonly parsed: boolean }
}

/** A schema without its wrappers. */
export interface Form {
  readonly schema: z.core.$ZodTypes
  readonly kind?: FieldKind
}

/** Every value of a schema in the order it is written there, those in unions and records included. */
export function leavesOf(schema: z.core.$ZodType): readonly Leaf[] {
  const leaves = new Map<string, Leaf>()
  walk(schema, { path: [], fixed: true, open: new Set() }, (leaf) => {
    const key = JSON.stringify(leaf.path)
    const known = leaves.get(key)
    leaves.set(key, known ? { ...known, forms: [...known.forms, ...leaf.forms] } : leaf)
  })
  return [...leaves.values()]
}

/** The names of the environment variables that set a leaf, the first being the one to show. */
export function variablesOf(leaf: Leaf): readonly string[] {
  const names = leaf.meta?.env ?? []
  return typeof names === 'string' ? [names] : names
}

interface Place {
  readonly path: Path
  readonly fixed: boolean
  readonly optionalIn?: Path
  /** The schemas on the way here: a recursive one is not entered again. */
  readonly open: ReadonlySet<z.core.$ZodType>
}

function walk(schema: z.core.$ZodType, place: Place, emit: (leaf: Leaf) => void): void {
  const { base, ...facts } = unwrap(schema)
  const form = { schema: base, ...(facts.kind && { kind: facts.kind }) }
  const leafOf = ({ path, fixed, optionalIn }: Place): Leaf => {
    return { ...facts, path, fixed, ...(optionalIn && { optionalIn }), forms: [form] }
  }
  if (place.open.has(base)) return
  const below = { ...place, open: new Set(place.open).add(base) }
  const { def } = base._zod
  if (def.type === 'object') {
    // A mapping can't be written in a variable: unfixed, so that the declaration is refused.
    if (facts.meta?.env !== undefined) emit(leafOf({ ...place, fixed: false }))
    const within = facts.required || facts.preset ? below : { ...below, optionalIn: place.path }
    for (const [key, child] of Object.entries(def.shape)) {
      walk(child, { ...within, path: [...place.path, key] }, emit)
    }
    return
  }
  const inner = childrenOf(base)
  if (facts.meta || !isOnlyStructure(base)) emit(leafOf(place))
  for (const { schema: child, parts } of inner) {
    walk(child, { ...below, path: [...place.path, ...parts], fixed: false }, emit)
  }
}

interface Child {
  readonly schema: z.core.$ZodType
  readonly parts: Path
}

function childrenOf(base: z.core.$ZodTypes): Child[] {
  const { def } = base._zod
  if (def.type === 'record') return [{ schema: def.valueType, parts: ['<name>'] }]
  if (def.type === 'array' && isStructured(def.element))
    return [{ schema: def.element, parts: ['[]'] }]
  if (def.type === 'union') {
    return def.options.filter(isStructured).flatMap((option): Child[] => {
      const { def: inner } = unwrap(option).base._zod
      if (inner.type === 'object') {
        return Object.entries(inner.shape).map(([key, schema]) => ({ schema, parts: [key] }))
      }
      return childrenOf(unwrap(option).base)
    })
  }
  if (def.type === 'intersection')
    return [def.left, def.right].map((schema) => ({ schema, parts: [] }))
  return []
}

// Then its children say all there is to say.
function isOnlyStructure({ _zod: { def } }: z.core.$ZodTypes): boolean {
  if (def.type === 'union') return def.options.every(isStructured)
  return def.type === 'record' || def.type === 'intersection'
}

function isStructured(schema: z.core.$ZodType): boolean {
  const { base, kind } = unwrap(schema)
  if (kind) return false
  return ['object', 'record', 'union', 'intersection'].includes(base._zod.def.type)
}

interface Unwrapped extends Pick<Leaf, 'meta' | 'kind' | 'required' | 'preset'> {
  readonly base: z.core.$ZodTypes
}

/** Takes off defaults, optionality, pipes and the like; what they say is kept, the outermost first. */
export function unwrap(schema: z.core.$ZodType): Unwrapped {
  let current = schema as z.core.$ZodTypes
  let facts: Pick<Leaf, 'meta' | 'kind' | 'required' | 'preset'> = { required: true }
  for (;;) {
    const { def } = current._zod
    const meta = facts.meta ?? metaOf(current)
    const kind = facts.kind ?? kindOf(current)
    const preset = facts.preset ?? presetOf(def)
    const optional = preset !== undefined || def.type === 'optional'
    facts = {
      required: facts.required && !optional,
      ...(meta && { meta }),
      ...(kind && { kind }),
      ...(preset && { preset }),
    }
    const inner = innerOf(def)
    if (!inner || (kind && def.type === 'pipe')) return { ...facts, base: current }
    current = inner as z.core.$ZodTypes
  }
}

function presetOf(def: z.core.$ZodTypes['_zod']['def']): Leaf['preset'] {
  if (def.type === 'default') return { value: def.defaultValue, parsed: true }
  if (def.type === 'prefault') return { value: def.defaultValue, parsed: false }
  return undefined
}

/** What a wrapper wraps: a default, an optional value, a pipe. Undefined for anything else. */
export function innerOf(def: z.core.$ZodTypes['_zod']['def']): z.core.$ZodType | undefined {
  switch (def.type) {
    case 'optional':
    case 'nullable':
    case 'nonoptional':
    case 'default':
    case 'prefault':
    case 'readonly':
    case 'catch':
      return def.innerType
    case 'pipe':
      return def.in._zod.def.type === 'transform' ? def.out : def.in
    case 'lazy':
      return def.getter()
    default:
      return undefined
  }
}
