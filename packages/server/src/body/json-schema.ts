import type { ErrorObject, Options, ValidateFunction } from 'ajv'
import { SetupError } from '../problems/errors.ts'
import { type FieldError, formatPath } from './field-errors.ts'

/** A compiled JSON Schema: all failing fields of a value, none when it is valid. */
export type SchemaCheck = (value: unknown) => FieldError[]

// `ownProperties`: a field named like a member of Object.prototype is not there by itself.
const OPTIONS: Options = {
  allErrors: true,
  ownProperties: true,
  strict: true,
  strictTypes: false,
  strictTuples: false,
  strictRequired: false,
  logger: false,
}

/**
 * Compiles a JSON Schema: draft 2020-12, or draft-07 where `$schema` says so. The compiler is loaded
 * with the first schema.
 *
 * @throws SetupError that says what is wrong with the schema, unknown keywords and formats included.
 */
export async function compileJsonSchema(schema: object): Promise<SchemaCheck> {
  if ('$async' in schema) throw invalidSchema('"$async" schemas are not supported')
  const compiler = await loadCompiler(schema)
  let validate: ValidateFunction
  try {
    validate = compiler.compile(schema)
  } catch (error) {
    throw invalidSchema(error instanceof Error ? error.message : String(error), error)
  }
  return (value) => (validate(value) ? [] : (validate.errors ?? []).map(toFieldError))
}

interface Compiler {
  compile(schema: object): ValidateFunction
}

async function loadCompiler(schema: object): Promise<Compiler> {
  const draft07 = '$schema' in schema && String(schema.$schema).includes('draft-07')
  const [{ Ajv }, { Ajv2020 }, formats] = await Promise.all([
    import('ajv'),
    import('ajv/dist/2020.js'),
    import('ajv-formats'),
  ])
  return formats.default.default(draft07 ? new Ajv(OPTIONS) : new Ajv2020(OPTIONS))
}

function invalidSchema(why: string, cause?: unknown): SetupError {
  return new SetupError(`The JSON Schema can't be used: ${why}.`, {}, cause)
}

function toFieldError({ keyword, instancePath, params, message }: ErrorObject): FieldError {
  const path = instancePath.split('/').slice(1).map(unescapePointer)
  const missing = keyword === 'required'
  const named = missing ? params.missingProperty : params.additionalProperty
  const param = formatPath(typeof named === 'string' ? [...path, named] : path)
  if (missing) return { param, message: `The field "${param}" is missing`, missing }
  if (named !== undefined) return { param, message: `The field "${param}" is not allowed`, missing }
  const subject = param === '' ? 'The body' : `The field "${param}"`
  return { param, message: `${subject} ${withValues(keyword, message, params)}`, missing }
}

function withValues(
  keyword: string,
  message = 'is invalid',
  params: ErrorObject['params'],
): string {
  if (keyword !== 'enum' || !Array.isArray(params.allowedValues)) return message
  return `must be one of ${JSON.stringify(params.allowedValues).slice(1, -1)}`
}

function unescapePointer(step: string): string {
  return step.replaceAll('~1', '/').replaceAll('~0', '~')
}
