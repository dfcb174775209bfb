import { z } from '@hono/zod-openapi'

/** Text that a PostgreSQL takes, in columns as in JSON. */
export function text(longest: number): z.ZodString {
  return z.string().max(longest).refine(isStorable, 'has characters that can not be stored')
}

/** Neither NUL nor half a character: a database refuses both. */
export function isStorable(value: string): boolean {
  return value.isWellFormed() && !value.includes('\u0000')
}

/** A name that people choose, which also stands in addresses and logs. */
export function name(): z.ZodString {
  return z
    .string()
    .regex(
      /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/,
      'has to be 1 to 100 letters, digits, ".", "_" and "-", a letter or a digit first',
    )
}

/** A moment, ISO 8601. */
export function moment(): z.ZodISODateTime {
  return z.iso.datetime({ offset: true })
}

/** Every error's form (RFC 9457), which is an OpenAI error as well. */
export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    instance: z.string(),
    code: z.string(),
    request_id: z.string(),
    error: z.object({
      message: z.string(),
      type: z.string(),
      param: z.string().nullable(),
      code: z.string(),
    }),
    errors: z.array(z.object({ param: z.string(), message: z.string() })).optional(),
  })
  .openapi('Problem')
