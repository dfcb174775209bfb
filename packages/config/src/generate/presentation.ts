import type { z } from 'zod'
import type { ConfigDefinition, RootSchema } from '../core/definition.ts'
import { type Form, type Leaf, unwrap } from '../core/leaves.ts'
import { PROFILES, type Profile } from '../core/source.ts'
import { find, fromPlain, toPlain } from '../core/tree.ts'
import { oneOf } from '../core/wording.ts'

/** A leaf's type as the reference names it: `duration`, `` `off` or size ``. */
export function typeName({ forms }: Pick<Leaf, 'forms'>): string {
  return oneOf(forms.map(formName))
}

function formName({ schema, kind }: Form): string {
  if (kind) return kind.type
  const { def } = schema._zod
  switch (def.type) {
    case 'string':
      return 'text'
    case 'enum':
      return oneOf(Object.values(def.entries).map(code))
    case 'literal':
      return oneOf(def.values.map(code))
    case 'union':
      return oneOf(def.options.map(nameOf))
    case 'array':
      return `list of ${nameOf(def.element)}`
    case 'record':
      return 'mapping by name'
    case 'object':
      return 'mapping'
    default:
      return def.type
  }
}

function nameOf(schema: z.core.$ZodType): string {
  const { base, kind } = unwrap(schema)
  return formName({ schema: base, ...(kind && { kind }) })
}

/** The default as a person writes it, or undefined when there is none. */
export function presetText({ preset, kind }: Leaf): string | undefined {
  if (!preset) return undefined
  if (kind?.secret) return undefined
  return preset.parsed && kind?.show ? kind.show(preset.value) : plainText(preset.value)
}

/** What each profile sets instead of the default, as a person writes it. */
export function profileTexts(
  leaf: Leaf,
  definition: ConfigDefinition<RootSchema>,
): readonly (readonly [Profile, string])[] {
  return PROFILES.flatMap((profile) => {
    const root = fromPlain(definition.profiles?.[profile] ?? {}, { kind: 'profile', profile })
    const own = leaf.fixed ? find(root, leaf.path).node : undefined
    const value = own ? toPlain(own) : leaf.meta?.profiles?.[profile]
    return value === undefined ? [] : [[profile, plainText(value)] as const]
  })
}

/** Sets text as code, whatever it holds. */
export function code(value: unknown): string {
  const text = String(value)
  return text.includes('`') ? `\`\` ${text} \`\`` : `\`${text}\``
}

function plainText(value: unknown): string {
  if (Array.isArray(value) && value.every((item) => typeof item !== 'object'))
    return value.join(',')
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
