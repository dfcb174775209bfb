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
  if ([...text].some(isControl)) return 'must hold no control character'
  return undefined
}

function isControl(character: string): boolean {
  return character < ' ' || character === '\u007f'
}
