import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { oneOf } from '../core/wording.ts'
import { type Field, parsed, Refusal } from './parsed.ts'

const words = z.stringbool()

/**
 * Yes or no. Text is read as a person means it, so `"false"` is false: true, yes, on, 1, y, enabled and
 * their opposites, in any case.
 */
export function boolean(): Field<boolean, boolean | string | number> {
  const kind = {
    type: 'boolean',
    expected: 'true or false',
    json: [
      { type: 'boolean' },
      { enum: [0, 1] },
      { enum: ['true', 'false', 'yes', 'no', 'on', 'off', '1', '0', 'enabled', 'disabled'] },
    ],
  }
  return parsed(kind, (written) => {
    if (typeof written === 'boolean') return written
    const text = typeof written === 'number' ? String(written) : written
    const read = words.safeParse(text)
    return read.success ? read.data : new Refusal()
  })
}

/** One of a few words, written exactly. A near miss is answered with a did-you-mean. */
export function choice<const Values extends readonly [string, ...string[]]>(
  values: Values,
): Field<Values[number], Values[number]> {
  const kind = {
    type: values.map((value) => `\`${value}\``).join(' or '),
    expected: oneOf(values),
    json: [{ enum: values }],
  }
  return parsed(kind, (written) => {
    const value = values.find((known) => known === written)
    return value ?? new Refusal({ candidates: values })
  })
}

/**
 * A capability that can be switched off: `off` or `false` becomes undefined, so that nothing has to ask
 * later; anything else is what the schema takes.
 */
export function offOr<S extends z.ZodType>(
  schema: S,
): Field<z.output<S> | undefined, z.input<S> | 'off' | false> {
  const off = parsed<undefined, 'off' | false>(
    { type: '`off`', expected: 'off', json: [{ enum: ['off', false] }] },
    (written) => {
      const isOff =
        written === false || (typeof written === 'string' && /^(off|false)$/i.test(written))
      return isOff ? undefined : new Refusal()
    },
  )
  return z.union([off, schema])
}

export interface NotBuiltYetOptions {
  /** What the key will switch on one day: `hedging`. The key itself unless given. */
  readonly capability?: string
  /** The values that mean off, which are taken. `off` and `false` unless given. */
  readonly off?: readonly unknown[]
}

/**
 * A key whose capability does not exist in this version. It may be left out or switched off; any other
 * value is a problem that says so. Becomes undefined.
 */
export function notBuiltYet(
  options: NotBuiltYetOptions = {},
): z.ZodOptional<Field<undefined, unknown>> {
  const { capability = 'this', off = ['off', false] } = options
  const names = off.map((value) => (typeof value === 'string' ? value : JSON.stringify(value)))
  const remedy = names.length > 0 ? ` or set it to ${names[0]}` : ''
  const kind = {
    type: 'not built yet',
    expected: names.length > 0 ? oneOf(names) : 'nothing',
    // An enum of nothing is no JSON Schema.
    json: [off.length > 0 ? { enum: [...off] } : { not: {} }],
  }
  const schema = parsed<undefined, unknown>(kind, (written) => {
    const isOff = off.some(
      (value) => isDeepStrictEqual(value, written) || String(value) === written,
    )
    if (isOff) return undefined
    const message = `${capability} is not built yet; leave it out${remedy}`
    return new Refusal({ code: 'not_built_yet' }, message)
  })
  return schema.optional()
}
