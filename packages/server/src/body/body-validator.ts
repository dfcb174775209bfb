import { type ServerError, SetupError } from '../problems/errors.ts'
import { type FieldError, formatPath, validationError } from './field-errors.ts'
import { compileJsonSchema, type SchemaCheck } from './json-schema.ts'
import {
  coversMediaType,
  faultOfJsonType,
  isJson,
  parseMediaType,
  unsupported,
} from './media-type.ts'
import { parseJson } from './parse-json.ts'
import { valueAt } from './validate-json.ts'

/** What a route asks of its bodies. */
export interface BodyRules {
  /** A JSON Schema (draft 2020-12, or draft-07 where `$schema` says so). */
  readonly schema?: object | undefined
  /** Fields that must be there and not null, as dotted paths: `model`, `messages.0.role`. */
  readonly required?: readonly string[] | undefined
  /**
   * The media types allowed, such as `application/json` or `image/*`. Default: JSON if there is a
   * schema or a required field, else any.
   */
  readonly contentType?: readonly string[] | undefined
}

/** Checks a body that was read whole: `undefined`, or why it is refused. Changes nothing. */
export type BodyValidator = (
  contentType: string | undefined,
  body: Uint8Array,
) => ServerError | undefined

/**
 * Compiles a route's rules for its bodies. What they let through can be forwarded byte for byte.
 *
 * @throws SetupError when the schema can't be compiled, a required path is empty, or rules about JSON
 * stand beside media types that aren't JSON.
 */
export async function createBodyValidator(rules: BodyRules): Promise<BodyValidator> {
  const { schema, required = [] } = rules
  const readsJson = schema !== undefined || required.length > 0
  const types = rules.contentType?.map((type) => type.trim().toLowerCase())
  if (readsJson) requireJsonTypes(types)
  const paths = required.map(parsePath)
  const check = schema === undefined ? undefined : await compileJsonSchema(schema)
  return (contentType, body) => {
    const { name } = parseMediaType(contentType)
    if (types !== undefined && !types.some((type) => coversMediaType(type, name))) {
      return unsupported(contentType, types)
    }
    if (!readsJson) return undefined
    return faultOfJsonType(contentType) ?? checkJson(body, paths, check)
  }
}

function requireJsonTypes(types: readonly string[] | undefined): void {
  const other = types?.find((type) => !isJson(type))
  if (other === undefined) return
  throw new SetupError(
    `"schema" and "required" look into JSON, but contentType allows "${other}". ` +
      'Allow JSON types only, or leave the rules about fields out.',
  )
}

function parsePath(path: string): readonly string[] {
  const steps = path.split('.')
  if (!steps.includes('')) return steps
  throw new SetupError(`The required field "${path}" is no dotted path, such as messages.0.role.`)
}

function checkJson(
  body: Uint8Array,
  required: readonly (readonly string[])[],
  check: SchemaCheck | undefined,
): ServerError | undefined {
  const parsed = parseJson(body)
  if (!parsed.ok) return parsed.error
  const fields = [...missingFields(parsed.value, required), ...(check?.(parsed.value) ?? [])]
  return fields.length === 0 ? undefined : validationError(fields)
}

function missingFields(value: unknown, required: readonly (readonly string[])[]): FieldError[] {
  return required
    .filter((path) => (valueAt(value, path) ?? null) === null)
    .map((path) => {
      const param = formatPath(path)
      return { param, message: `The field "${param}" is missing`, missing: true }
    })
}
