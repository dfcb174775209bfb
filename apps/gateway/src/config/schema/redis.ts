import { field } from '@tidegate/config'
import { boolean, connectionUrl, duration, integer, list, secret } from '@tidegate/config/fields'
import { z } from 'zod'
import { findNodeFault } from '../addresses.ts'
import { checked } from './checked.ts'
import { LONGEST_MS } from './server.ts'

const nodes = list(checked(z.string(), findNodeFault))

const sentinel = z
  .strictObject({
    name: field(z.string().min(1), {
      description: 'What the Sentinels call the primary.',
      example: 'primary',
    }),
    nodes: field(nodes, {
      description: 'The Sentinels, `host:port`.',
      example: 'sentinel-1:26379',
    }),
    username: field(z.string().optional(), { description: 'The user towards the Sentinels.' }),
    password: field(secret().optional(), { description: 'The password towards the Sentinels.' }),
    tls: field(boolean().default(false), { description: 'Whether Sentinels speak TLS.' }),
  })
  .optional()

const tls = z
  .strictObject({
    enabled: field(boolean().default(false), {
      env: 'REDIS_USE_SSL',
      description: 'TLS, also when the URL says `redis://`. Certificates are always verified.',
    }),
    caFile: field(z.string().optional(), {
      env: 'REDIS_CA_CERT_PATH',
      description: "The authority to trust in place of the system's, a PEM file.",
    }),
    certFile: field(z.string().optional(), {
      description: "The gateway's own certificate, a PEM file.",
    }),
    keyFile: field(z.string().optional(), { description: 'Its private key, a PEM file.' }),
    servername: field(z.string().optional(), {
      description: "The name in the server's certificate, where it isn't the host.",
    }),
  })
  .prefault({})

const PREFIX = /^[A-Za-z0-9][A-Za-z0-9:._-]{0,63}$/

const prefix = checked(z.string(), (text) =>
  PREFIX.test(text) ? undefined : 'expected up to 64 letters, digits and : . _ -',
)

/** Where the state is that all gateways share. Without any, each keeps its own in memory. */
export const redisSchema = z
  .strictObject({
    url: field(connectionUrl({ protocols: ['redis', 'rediss'] }).optional(), {
      env: 'REDIS_URL',
      description:
        'One server; `rediss://` for TLS. Without it, a Cluster or Sentinels: memory, and limits are per process.',
      example: 'redis://localhost:6379',
    }),
    cluster: field(nodes.optional(), {
      description: 'Or some nodes of a Cluster, `host:port`; the others are found.',
    }),
    sentinel,
    username: field(z.string().optional(), {
      description: 'The ACL user, unless the URL has one.',
    }),
    password: field(secret().optional(), {
      env: 'REDIS_PASSWORD',
      description: 'The password, unless the URL has one.',
    }),
    database: field(integer({ min: 0, max: 99_999 }).default(0), {
      description: 'The database, unless the URL has one.',
    }),
    tls,
    timeout: field(duration({ unit: 's', min: 1, max: LONGEST_MS }).default(5000), {
      env: 'REDIS_TIMEOUT',
      description:
        'How long connecting or a command may take, in seconds or as `500ms`. Limits wait half a second at most.',
    }),
    maxConnections: field(integer({ min: 1, max: 10_000 }).default(20), {
      env: 'REDIS_MAX_CONNECTIONS',
      description: 'The most connections at a time, on a Cluster of each node.',
    }),
    protocol: field(integer({ min: 2, max: 3 }).default(3), {
      description: '2 for proxies in front of Redis that know no RESP3.',
    }),
    prefix: field(prefix.default('tidegate'), {
      description: 'What all keys begin with, so that several systems can share one Redis.',
    }),
  })
  .prefault({})
