import { field } from '@tidegate/config'
import {
  boolean,
  byteSize,
  duration,
  integer,
  list,
  offOr,
  port,
  rate,
  secret,
} from '@tidegate/config/fields'
import { z } from 'zod'
import { findHostFault, findNetworkFault, findOriginFault } from '../addresses.ts'
import { checked, findCredentialFault } from './checked.ts'
import { later } from './later.ts'

/** Timers longer than a day are more likely a slip than a wish. */
export const LONGEST_MS = 86_400_000

const cors = z
  .strictObject({
    origins: field(list(checked(z.string(), findOriginFault)).default([]), {
      env: 'CORS_ORIGINS',
      description:
        'Origins whose scripts may call the gateway: exact, `https://*.example.com` for subdomains, or `*`. Without any, development and test allow all, staging and production none.',
      example: 'https://app.example.com',
    }),
  })
  .prefault({})

const drain = z
  .strictObject({
    delay: field(duration({ max: LONGEST_MS }).default(0), {
      description: 'After SIGTERM, how long to go on accepting while readiness is already red.',
    }),
    timeout: field(duration({ max: LONGEST_MS }).default(30_000), {
      description: 'How long requests, streams and sockets may take to finish after that.',
    }),
  })
  .prefault({})

const timeouts = z
  .strictObject({
    headers: field(duration({ min: 100, max: LONGEST_MS }).default(15_000), {
      description: "The time a client has to send a request's head.",
    }),
    body: field(duration({ min: 100, max: LONGEST_MS }).default(30_000), {
      description: "The longest silence inside a request's body.",
    }),
    write: field(duration({ min: 100, max: LONGEST_MS }).default(60_000), {
      description: 'The longest a client may stop reading its response.',
    }),
  })
  .prefault({})

const tls = z
  .strictObject({
    certFile: field(z.string(), { description: 'The certificate and its chain, a PEM file.' }),
    keyFile: field(z.string(), { description: "The certificate's private key, a PEM file." }),
  })
  .optional()

const guard = z.strictObject({
  rate: field(rate().default({ amount: 1000, windowMs: 1000 }), {
    description: 'How many requests in how long.',
  }),
  burst: field(integer({ min: 1, max: 1_000_000 }).optional(), {
    description: 'How many at once after a pause. Unset: twice the amount of `rate`.',
  }),
})

/** How the gateway listens. */
export const serverSchema = z
  .strictObject({
    host: field(checked(z.string(), findHostFault).default('127.0.0.1'), {
      env: 'HOST',
      description: 'The address to listen on; `0.0.0.0` or `::` for all.',
    }),
    port: field(port().default(8000), {
      env: 'PORT',
      description: 'The TCP port to listen on; 0 takes a free one.',
    }),
    workers: later('more than one worker', [1]),
    trustedProxies: field(list(checked(z.string(), findNetworkFault)).default([]), {
      description: 'Networks of the proxies in front, whose `X-Forwarded-For` is believed.',
      example: '10.0.0.0/8',
    }),
    bodyLimit: field(byteSize({ min: 1 }).default(10 * 1024 * 1024), {
      description: 'The largest request body; more is answered with 413.',
    }),
    keepAlive: field(duration({ min: 1000, max: LONGEST_MS }).default(65_000), {
      description: 'How long an idle connection of a client is kept.',
    }),
    maxConnections: field(integer({ min: 1, max: 1_000_000 }).default(10_000), {
      description: 'The most connections at a time; more are refused.',
    }),
    compression: field(boolean().default(true), {
      description: "Compress the gateway's own responses. Proxied ones are never recoded.",
    }),
    cors,
    drain,
    guard: field(offOr(guard).prefault({}), {
      description:
        'What one address (IPv6: one /56 network) may ask of this process before anything else is looked at. This machine itself may ask at will.',
    }),
    timeouts,
    tls,
  })
  .prefault({})

/** Who may use the gateway's own endpoints. */
export const adminSchema = z
  .strictObject({
    key: field(checked(secret(), findCredentialFault).optional(), {
      env: 'ADMIN_KEY',
      description:
        "Opens the gateway's own endpoints, as `x-admin-key` or Bearer. Unset: in development loopback alone, elsewhere nobody.",
    }),
  })
  .prefault({})
