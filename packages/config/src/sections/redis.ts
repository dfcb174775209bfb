import { z } from 'zod'
import { field } from '../core/field.ts'
import { boolean } from '../fields/choices.ts'
import { duration } from '../fields/duration.ts'
import { integer } from '../fields/numbers.ts'
import { connectionUrl, secret } from '../fields/texts.ts'

/** A Redis server. Without `url` state is kept in the process's memory. */
export const redisSection = z.strictObject({
  url: field(connectionUrl({ protocols: ['redis', 'rediss'] }).optional(), {
    env: 'REDIS_URL',
    description: 'The Redis server; rediss:// for TLS. Unset: memory.',
    example: 'redis://localhost:6379',
  }),
  maxConnections: field(integer({ min: 1, max: 10_000 }).prefault(20), {
    env: 'REDIS_MAX_CONNECTIONS',
    description: 'The most connections held open at once.',
  }),
  timeout: field(duration({ unit: 's', min: 1 }).prefault('5s'), {
    env: 'REDIS_TIMEOUT',
    description: 'How long connecting or one command may take. A plain number counts seconds.',
  }),
  useSsl: field(boolean().prefault(false), {
    env: 'REDIS_USE_SSL',
    description: 'Use TLS, and verify the certificate, also when the URL says redis://.',
  }),
  caCertPath: field(z.string().optional(), {
    env: 'REDIS_CA_CERT_PATH',
    description: 'A file with the certificate authority that signed the server, in PEM form.',
    example: '/etc/ssl/redis-ca.pem',
  }),
  password: field(secret().optional(), {
    env: 'REDIS_PASSWORD',
    description: 'The password, when the URL holds none.',
  }),
})
