import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineConfig } from '../core/definition.ts'
import { checkConfig, loadConfig } from '../core/load.ts'
import { apiSection } from './api.ts'
import { databaseSection } from './database.ts'
import { monitoringSection } from './monitoring.ts'
import { performanceSection } from './performance.ts'
import { redisSection } from './redis.ts'
import { checkSecurity, securitySection } from './security.ts'

const definition = defineConfig({
  name: 'app',
  schema: z.strictObject({
    api: apiSection.prefault({}),
    database: databaseSection.prefault({}),
    monitoring: monitoringSection.prefault({}),
    performance: performanceSection.prefault({}),
    redis: redisSection.prefault({}),
    security: securitySection.prefault({}),
  }),
  refine: ({ security }, { profile }) => checkSecurity(security, { profile }),
})

function load(env: Readonly<Record<string, string>> = {}) {
  return loadConfig(definition, { env, dotenv: false }).config
}

describe('sections', () => {
  it('have the documented defaults', () => {
    const { api, database, redis, monitoring, performance, security } = load({
      ENVIRONMENT: 'test',
    })
    expect(api.backend).toEqual({
      serviceUrl: 'http://localhost:8084',
      timeoutConnect: 10_000,
      timeoutRead: 30_000,
      maxConnections: 100,
      maxRetries: 3,
      circuitBreakerFailureThreshold: 5,
    })
    expect(database).toEqual({
      pool: 10,
      connectTimeout: 10_000,
      statementTimeout: 30_000,
      logQueries: false,
    })
    expect(redis).toEqual({ maxConnections: 20, timeout: 5000, useSsl: false })
    expect(monitoring).toMatchObject({ logLevel: 'info', debug: false, metrics: true })
    expect(performance).toEqual({ cache: true, cacheTtl: 300_000, compression: true, workers: 1 })
    expect(security).toEqual({ corsOrigins: [] })
  })

  it('count plain numbers of their timeouts in seconds', () => {
    const env = {
      REDIS_TIMEOUT: '7',
      BACKEND_TIMEOUT_READ: '45',
      BACKEND_TIMEOUT_CONNECT: '1500ms',
    }
    const { api, redis } = load(env)
    expect([redis.timeout, api.backend.timeoutRead, api.backend.timeoutConnect]).toEqual([
      7000, 45_000, 1500,
    ])
  })

  it('set what development and production need', () => {
    const secret = { ENCRYPTION_SECRET: 'x'.repeat(32), ENVIRONMENT: 'production' }
    expect(load().security.corsOrigins).toEqual(['*'])
    expect(load().api.backend).toMatchObject({
      timeoutConnect: 5000,
      timeoutRead: 30_000,
      maxConnections: 20,
      maxRetries: 2,
    })
    expect(load(secret).security.corsOrigins).toEqual([])
    expect(load(secret).api.backend).toMatchObject({
      timeoutConnect: 10_000,
      timeoutRead: 60_000,
      maxConnections: 100,
      maxRetries: 3,
    })
  })

  it('refuse published secrets and addresses of another kind', () => {
    const env = {
      ENCRYPTION_SECRET: 'change-me-to-32-or-more-random-characters',
      REDIS_URL: 'http://localhost',
      DATABASE_URL: 'mysql://localhost',
    }
    const { report } = checkConfig(definition, { env, dotenv: false })
    expect(report.problems.map(({ message }) => message)).toEqual([
      'expected an address such as postgres://host:port, got one with mysql:',
      'expected an address such as redis://host:port, got one with http:',
      'expected a secret of at least 32 characters, got the example value, which is published',
    ])
  })
})

describe('checkSecurity', () => {
  it('asks production for an encryption secret and named origins', () => {
    const env = { ENVIRONMENT: 'production', CORS_ORIGINS: '*' }
    const { report } = checkConfig(definition, { env, dotenv: false })
    expect(report.toText().split('\n').slice(1)).toEqual([
      'ENCRYPTION_SECRET  security.encryptionSecret: production needs an encryption secret; set ENCRYPTION_SECRET',
      'CORS_ORIGINS  security.corsOrigins: production does not take * as an origin; name those that may call',
    ])
  })
})
