import { defineConfig, eachKnown, type Finding, field } from '@tidegate/config'
import { duration, type IntegerOptions, integer, secret } from '@tidegate/config/fields'
import { z } from 'zod'
import { findEndpointFault } from './addresses.ts'
import { checked, findCredentialFault } from './schema/checked.ts'
import { FAILURES, RETRIES, UNDER_WAY } from './schema/resilience.ts'
import { LONGEST_MS } from './schema/server.ts'

function credential(env: string, description: string) {
  return field(checked(secret(), findCredentialFault).optional(), { env, description })
}

function address(env: string, description: string, example: string) {
  return field(checked(z.string(), findEndpointFault).optional(), { env, description, example })
}

function seconds(env: string, description: string, example: string) {
  const schema = duration({ unit: 's', min: 1, max: LONGEST_MS }).optional()
  return field(schema, { env, description, example })
}

function count(env: string, range: IntegerOptions, description: string, example: string) {
  return field(integer(range).optional(), { env, description, example })
}

const providers = z
  .strictObject({
    openaiKey: credential('OPENAI_API_KEY', 'Serves `/v1/**` from OpenAI with this key.'),
    openaiUrl: address(
      'OPENAI_BASE_URL',
      'Where that is, for another service that speaks the same API.',
      'http://localhost:11434/v1',
    ),
    anthropicKey: credential('ANTHROPIC_API_KEY', 'Serves `/v1/messages` from Anthropic.'),
    anthropicUrl: address('ANTHROPIC_BASE_URL', 'Where that is.', 'https://api.anthropic.com/v1'),
    backendUrl: address(
      'BACKEND_SERVICE_URL',
      'Serves `/companion/**` from a service of your own.',
      'http://localhost:8084',
    ),
    backendKey: credential('BACKEND_API_KEY', 'Sent to that service as a Bearer token.'),
    backendConnect: seconds(
      'BACKEND_TIMEOUT_CONNECT',
      'How long connecting to it may take, in seconds or as `500ms`. Unset: 10.',
      '10',
    ),
    backendRead: seconds(
      'BACKEND_TIMEOUT_READ',
      'The longest silence before and within its answers, in seconds or as `1m30s`. Unset: 30.',
      '30',
    ),
    backendConnections: count(
      'BACKEND_MAX_CONNECTIONS',
      UNDER_WAY,
      'The most requests to it at a time; more wait in order. Unset: 100.',
      '100',
    ),
    backendRetries: count(
      'BACKEND_MAX_RETRIES',
      RETRIES,
      'Extra tries of a request that failed; 0 for none. Unset: 3.',
      '3',
    ),
    backendFailures: count(
      'BACKEND_CIRCUIT_BREAKER_FAILURE_THRESHOLD',
      FAILURES,
      'Failures in a row after which it gets no request for 30 seconds. Unset: 5.',
      '5',
    ),
  })
  .prefault({})

/** The variables of providers and services, as they were set. */
export type Providers = z.output<typeof providers>

/** The variables that make upstreams and routes when there is no file. */
export const providersDefinition = defineConfig({
  name: 'tidegate',
  schema: z.strictObject({ providers }),
  refine: findIdleBackend,
})

function findIdleBackend({
  providers: given,
}: {
  readonly providers: Providers
}): readonly Finding[] {
  if (given.backendUrl !== undefined) return []
  const names = ['backendKey', 'backendConnect', 'backendRead', 'backendConnections'] as const
  return eachKnown([...names, 'backendRetries', 'backendFailures'] as const, (name) => {
    if (given[name] === undefined) return []
    const message = 'set, but has no effect without BACKEND_SERVICE_URL'
    return [{ path: ['providers', name], severity: 'warning', message }]
  })
}
