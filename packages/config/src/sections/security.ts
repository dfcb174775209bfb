import { z } from 'zod'
import type { Finding } from '../core/definition.ts'
import { field } from '../core/field.ts'
import { eachKnown } from '../core/known.ts'
import type { Path } from '../core/path.ts'
import type { Profile } from '../core/source.ts'
import { list, secret } from '../fields/texts.ts'

const PUBLISHED = ['change-me-to-32-or-more-random-characters']

/** Keys of our own and who may call from a browser. */
export const securitySection = z.strictObject({
  encryptionSecret: field(secret({ minLength: 32, published: PUBLISHED }).optional(), {
    env: 'ENCRYPTION_SECRET',
    description: 'Seals secrets at rest: 32 or more random characters. Required in production.',
    example: PUBLISHED[0] ?? '',
  }),
  encryptionSecretPrevious: field(secret({ minLength: 32 }).optional(), {
    env: 'ENCRYPTION_SECRET_PREVIOUS',
    description: 'The secret before the last change, with which old data stays readable.',
  }),
  adminKey: field(secret({ minLength: 16 }).optional(), {
    env: 'ADMIN_KEY',
    description: 'Opens the administrative endpoints: 16 or more random characters.',
  }),
  corsOrigins: field(list().prefault([]), {
    env: 'CORS_ORIGINS',
    description: 'The origins that may call from a browser, or * for any.',
    example: 'https://app.example.com,https://admin.example.com',
    profiles: { development: ['*'] },
  }),
})

/**
 * What production asks of {@link securitySection} beyond single values, for a definition's `refine`: an
 * encryption secret, and origins that are named. `path` is where the section lies.
 */
export function checkSecurity(
  section: Section,
  { profile, path = ['security'] }: { readonly profile: Profile; readonly path?: Path },
): readonly Finding[] {
  if (profile !== 'production') return []
  return eachKnown([findNoSecret, findAnyOrigin], (find) => find(section, path))
}

type Section = z.output<typeof securitySection>

function findNoSecret({ encryptionSecret }: Section, path: Path): readonly Finding[] {
  if (encryptionSecret) return []
  const message = 'production needs an encryption secret; set ENCRYPTION_SECRET'
  return [{ code: 'missing', path: [...path, 'encryptionSecret'], message }]
}

function findAnyOrigin({ corsOrigins }: Section, path: Path): readonly Finding[] {
  if (!corsOrigins.includes('*')) return []
  const message = 'production does not take * as an origin; name those that may call'
  return [{ path: [...path, 'corsOrigins'], message }]
}
