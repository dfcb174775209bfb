import { defineConfig, type Finding, field } from '@tidegate/config'
import { boolean, duration, integer, list, port } from '@tidegate/config/fields'
import { databaseSection, monitoringSection, securitySection } from '@tidegate/config/sections'
import { createKeyRing, isCryptoError } from '@tidegate/crypto'
import { z } from 'zod'

const serverSchema = z.strictObject({
  host: field(z.string().min(1).prefault('127.0.0.1'), {
    env: 'COMPANION_HOST',
    description: 'The address to listen on.',
  }),
  port: field(port().prefault(8084), {
    env: 'COMPANION_PORT',
    description: 'The port to listen on; 0 takes a free one.',
  }),
  trustedProxies: field(list().prefault([]), {
    env: 'COMPANION_TRUSTED_PROXIES',
    description: 'Networks of the proxies whose X-Forwarded-For is believed.',
    example: '10.0.0.0/8',
  }),
  requestTimeout: field(duration({ unit: 's', min: 1 }).prefault('30s'), {
    env: 'COMPANION_REQUEST_TIMEOUT',
    description:
      'How long a request may take, the database included. A plain number counts seconds.',
  }),
  drainDelay: field(duration({ unit: 's' }).prefault('0s'), {
    env: 'COMPANION_DRAIN_DELAY',
    description: 'Time between turning unready and refusing connections.',
  }),
  drainTimeout: field(duration({ unit: 's', min: 1 }).prefault('30s'), {
    env: 'COMPANION_DRAIN_TIMEOUT',
    description: 'Time for open requests to finish at a stop.',
  }),
})

const storageSchema = z.strictObject({
  directory: field(z.string().min(1).prefault('.tidegate'), {
    env: 'COMPANION_DATA_DIR',
    description: 'The folder of the embedded database and of what is generated for development.',
  }),
  embeddedInProduction: field(boolean().prefault(false), {
    env: 'COMPANION_ALLOW_EMBEDDED',
    description: 'Accept the embedded database in production, which a loss of power may damage.',
  }),
  slowQuery: field(duration({ unit: 's' }).prefault('200ms'), {
    env: 'DATABASE_SLOW_QUERY',
    description: 'From how long on a query is logged and counted as slow.',
  }),
})

const keysSchema = z.strictObject({
  rotationOverlap: field(duration({ unit: 's', min: 0 }).prefault('24h'), {
    env: 'COMPANION_KEY_OVERLAP',
    description: 'How long a rotated key goes on beside its successor, unless the request says.',
  }),
  maxPerTenant: field(integer({ min: 1, max: 1_000_000 }).prefault(10_000), {
    env: 'COMPANION_MAX_KEYS',
    description: 'The most keys a tenant may have that are not revoked.',
  }),
})

const schema = z.strictObject({
  server: serverSchema.prefault({}),
  storage: storageSchema.prefault({}),
  keys: keysSchema.prefault({}),
  database: databaseSection.prefault({}),
  security: securitySection
    .pick({
      encryptionSecret: true,
      encryptionSecretPrevious: true,
      adminKey: true,
    })
    .prefault({}),
  monitoring: monitoringSection.pick({ logLevel: true, debug: true }).prefault({}),
})

/** Everything that configures the companion, as it is read. */
export type Config = z.output<typeof schema>

/** The companion is configured by its environment alone. */
export const definition = defineConfig({
  name: 'tidegate-companion',
  schema,
  refine: [findNoSecret, findWeakSecrets, findEmbedded],
})

interface Context {
  readonly profile: string
}

function findNoSecret({ security }: Config, { profile }: Context): readonly Finding[] {
  if (profile !== 'production' || security.encryptionSecret !== undefined) return []
  const message = 'production needs an encryption secret; set ENCRYPTION_SECRET'
  return [{ code: 'missing', path: ['security', 'encryptionSecret'], message }]
}

/** What a length can't tell: placeholders, and texts that repeat themselves. */
function findWeakSecrets({ security }: Config): readonly Finding[] {
  const { encryptionSecret: current, encryptionSecretPrevious: previous } = security
  return [
    ...(current === undefined ? [] : findWeak('encryptionSecret', current)),
    ...(previous === undefined ? [] : findWeak('encryptionSecretPrevious', previous)),
  ]
}

function findWeak(name: string, secret: { reveal(): string }): readonly Finding[] {
  try {
    createKeyRing({ current: secret })
    return []
  } catch (error) {
    if (!isCryptoError(error)) throw error
    // "The current secret has …" — the place says which.
    const message = error.message.replace(/^The current secret/, 'the secret').replace(/\.$/, '')
    return [{ path: ['security', name], message }]
  }
}

function findEmbedded({ database, storage }: Config, { profile }: Context): readonly Finding[] {
  if (profile !== 'production' || database.url !== undefined || storage.embeddedInProduction) {
    return []
  }
  const message =
    'production needs a PostgreSQL: set DATABASE_URL, or COMPANION_ALLOW_EMBEDDED=true to accept that a loss of power may damage the embedded database'
  return [{ code: 'missing', path: ['database', 'url'], message }]
}
