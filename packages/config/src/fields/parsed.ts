import { z } from 'zod'
import { type FieldKind, withKind } from '../core/field.ts'
import { FACTS, type IssueFacts } from '../core/wording.ts'

/** A schema that takes one form, or several, and gives another. */
export type Field<Output, Input> = z.ZodType<Output, Input>

/** Why a value was not taken. What is not said here comes from the field's kind. */
export class Refusal {
  readonly facts: IssueFacts
  /** A whole sentence, where "expected this, got that" would not do. */
  readonly message: string | undefined

  constructor(facts: IssueFacts = {}, message?: string) {
    this.facts = facts
    this.message = message
  }
}

/**
 * A field that a function reads: it gets whatever was written, a native value or an environment
 * variable's text, and answers with the value or a {@link Refusal}. Surrounding space is taken off text.
 */
export function parsed<Output, Input>(
  kind: FieldKind,
  read: (written: unknown) => Output | Refusal,
): Field<Output, Input> {
  const schema = z.custom<Input>().transform((written, context): Output => {
    const result = read(typeof written === 'string' && !kind.secret ? written.trim() : written)
    if (!(result instanceof Refusal)) return result
    const { message = `expected ${kind.expected}` } = result
    const wording = result.message === undefined ? { expected: kind.expected } : {}
    const facts = { ...wording, echo: !kind.secret, ...result.facts }
    context.issues.push({ code: 'custom', input: undefined, message, [FACTS]: facts })
    return z.NEVER
  })
  return withKind(schema, kind)
}

/** Whether a number is a whole one that is exact and not negative. */
export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
