import type { Secret } from '@tidegate/config'
import type { z } from 'zod'

/** A schema whose values must satisfy a function too: it says what is wrong, or undefined. */
export function checked<S extends z.ZodType>(
  schema: S,
  findFault: (value: z.output<S>) => string | undefined,
): S {
  return schema.superRefine((value, context) => {
    const message = findFault(value)
    if (message !== undefined) context.addIssue({ code: 'custom', message })
  })
}

/** What is wrong with a credential that has to travel in a header, or undefined. Never shows it. */
export function findCredentialFault(credential: Secret): string | undefined {
  const text = credential.reveal()
  if (text !== text.trim()) return 'must not begin or end with white space'
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  if (/[\u0000-\u001f\u007f]/.test(text)) return 'must hold no control character'
  return undefined
}
