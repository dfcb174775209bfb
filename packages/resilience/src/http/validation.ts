import type { ValidationIssue } from './errors.ts'

/**
 * A schema of any library that speaks Standard Schema v1, such as zod, valibot or arktype
 * (https://standardschema.dev): the part of it that is used here.
 */
export interface StandardSchema<Output = unknown> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined
  }
}

/** What validating gives: the value as the schema makes it, or what is wrong with it. */
type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] }

/** One thing that is wrong. */
interface StandardIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** The value as the schema makes it, or what is wrong with it. */
export async function validate<Output>(
  schema: StandardSchema<Output>,
  value: unknown,
): Promise<{ readonly value: Output } | { readonly issues: readonly ValidationIssue[] }> {
  const result = await schema['~standard'].validate(value)
  if (result.issues === undefined) return result
  return {
    issues: result.issues.map(({ message, path = [] }) => ({ message, path: pathOf(path) })),
  }
}

function pathOf(path: NonNullable<StandardIssue['path']>): string {
  return path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.')
}
