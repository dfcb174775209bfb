import { z } from 'zod'
import { field } from '../core/field.ts'
import { duration } from '../fields/duration.ts'
import { integer } from '../fields/numbers.ts'
import { httpUrl, secret } from '../fields/texts.ts'

const backendSection = z.strictObject({
  serviceUrl: field(httpUrl().prefault('http://localhost:8084'), {
    env: 'BACKEND_SERVICE_URL',
    description: 'The backend service.',
  }),
  apiKey: field(secret().optional(), {
    env: 'BACKEND_API_KEY',
    description: 'The key for the backend service.',
  }),
  timeoutConnect: field(duration({ unit: 's', min: 1 }).prefault('10s'), {
    env: 'BACKEND_TIMEOUT_CONNECT',
    description: 'How long a connection may take to open. A plain number counts seconds.',
    profiles: { development: '5s' },
  }),
  timeoutRead: field(duration({ unit: 's', min: 1 }).prefault('30s'), {
    env: 'BACKEND_TIMEOUT_READ',
    description: 'How long the backend may stay silent. A plain number counts seconds.',
    profiles: { production: '60s' },
  }),
  maxConnections: field(integer({ min: 1, max: 100_000 }).prefault(100), {
    env: 'BACKEND_MAX_CONNECTIONS',
    description: 'The most connections held open at once.',
    profiles: { development: 20 },
  }),
  maxRetries: field(integer({ min: 0, max: 100 }).prefault(3), {
    env: 'BACKEND_MAX_RETRIES',
    description: 'The most tries after the first.',
    profiles: { development: 2 },
  }),
  circuitBreakerFailureThreshold: field(integer({ min: 1 }).prefault(5), {
    env: 'BACKEND_CIRCUIT_BREAKER_FAILURE_THRESHOLD',
    description: 'The failures in a row after which calls stop for a while.',
  }),
})

/** Keys and settings of the services that are called. */
export const apiSection = z.strictObject({
  openaiApiKey: field(secret().optional(), {
    env: 'OPENAI_API_KEY',
    description: 'The key for OpenAI.',
  }),
  anthropicApiKey: field(secret().optional(), {
    env: 'ANTHROPIC_API_KEY',
    description: 'The key for Anthropic.',
  }),
  pineconeApiKey: field(secret().optional(), {
    env: 'PINECONE_API_KEY',
    description: 'The key for Pinecone.',
  }),
  backend: backendSection.prefault({}),
})
