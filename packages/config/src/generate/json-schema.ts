import { z } from 'zod'
import type { ConfigDefinition, RootSchema } from '../core/definition.ts'
import { type JsonSchema, kindOf, metaOf } from '../core/field.ts'
import { unwrap } from '../core/leaves.ts'

type Draft = z.core.JSONSchema.BaseSchema

/**
 * The JSON Schema (draft 2020-12) of a configuration as it is written in a file, for editors and other
 * tools. A value may also be text with `${NAME}` in it, which only loading can judge.
 */
export function toJsonSchema(definition: ConfigDefinition<RootSchema>): JsonSchema {
  const draft = z.toJSONSchema(definition.schema, {
    io: 'input',
    target: 'draft-2020-12',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema, path }) => {
      // Names are taken as they are written.
      if (path.at(-1) !== 'propertyNames') refine(zodSchema, jsonSchema)
    },
  })
  const {
    $schema,
    properties,
    '~standard': _,
    ...rest
  } = draft as Draft & { '~standard'?: unknown }
  const editors = { $schema: { type: 'string', description: 'The schema, for editors.' } }
  return {
    $schema,
    title: `Configuration of ${definition.name}`,
    ...rest,
    properties: { ...editors, ...properties },
  }
}

const EXPANDED: Draft = { type: 'string', pattern: '\\$\\{' }

function refine(schema: z.core.$ZodTypes, draft: Draft): void {
  const kind = kindOf(schema)
  if (kind) replace(draft, alternatives(kind.json))
  else if (isConstrained(schema, draft)) replace(draft, alternatives([{ ...draft }]))
  const { preset, kind: shown } = unwrap(schema)
  if (preset && !shown?.secret) {
    draft.default = preset.parsed && shown?.show ? shown.show(preset.value) : preset.value
  }
  const meta = metaOf(schema)
  if (meta?.description) draft.description = meta.description
  if (meta?.example !== undefined) draft.examples = [meta.example]
}

// Text without limits takes ${NAME} as it is.
function isConstrained(schema: z.core.$ZodTypes, draft: Draft): boolean {
  switch (schema._zod.def.type) {
    case 'number':
    case 'boolean':
    case 'enum':
      return true
    case 'string':
      return ['pattern', 'format', 'minLength', 'maxLength', 'allOf'].some((key) => key in draft)
    default:
      return false
  }
}

function alternatives(schemas: readonly JsonSchema[]): Draft {
  const open = schemas.some(
    ({ type, ...limits }) => type === 'string' && !Object.keys(limits).length,
  )
  const all = open ? schemas : [...schemas, EXPANDED]
  return (all.length === 1 ? { ...all[0] } : { anyOf: all }) as Draft
}

function replace(draft: Draft, by: Draft): void {
  for (const key of Object.keys(draft)) delete draft[key]
  Object.assign(draft, by)
}
