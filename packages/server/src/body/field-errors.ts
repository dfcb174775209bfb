import { ServerError } from '../problems/errors.ts'

/** One failing field. */
export interface FieldError {
  /** The field as one would write it in code, such as `messages[0].role`; `''` for the body itself. */
  readonly param: string
  /** What is wrong with it, without the value that was sent. */
  readonly message: string
  readonly missing: boolean
}

const MOST_REPORTED = 50
const LONGEST_PARAM = 200

/** Writes a path the way one would in code: `messages[0].role`. */
export function formatPath(path: readonly (string | number)[]): string {
  let text = ''
  for (const step of path) {
    if (typeof step === 'number' || /^\d+$/.test(step)) text += `[${step}]`
    else text += text === '' ? step : `.${step}`
  }
  return text.slice(0, LONGEST_PARAM)
}

/**
 * One error for all failing fields: the first is its `param`, and all of them (50 at most) are in its
 * facts and so in the response's `errors`.
 */
export function validationError(failures: readonly FieldError[]): ServerError {
  // Two rules may find the same fault.
  const fields = [...new Map(failures.map((field) => [field.message, field])).values()]
  const [first] = fields
  const shown = fields.slice(0, MOST_REPORTED)
  const errors = shown.map(({ param, message }) => ({ param, message }))
  const code = first?.missing === true ? 'missing_field' : 'validation_failed'
  const messages = shown.slice(0, 3).map(({ message }) => message)
  const more = fields.length > 3 ? ` (and ${fields.length - 3} more)` : ''
  return new ServerError(code, `${messages.join('; ')}${more}.`, {
    ...(first === undefined || first.param === '' ? {} : { param: first.param }),
    facts: { errors },
  })
}
