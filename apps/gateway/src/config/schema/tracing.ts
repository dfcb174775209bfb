import { field } from '@tidegate/config'
import { choice, httpUrl, percent, secret } from '@tidegate/config/fields'
import { z } from 'zod'
import { checked, findCredentialFault } from './checked.ts'

const HEADER = /^[a-z0-9!#$%&'*+.^_`|~-]{1,64}$/i

const headerName = checked(z.string(), (name) =>
  HEADER.test(name) ? undefined : 'expected the name of a header such as authorization',
)

/** Traces of requests, and what is sent to an OpenTelemetry collector. */
export const tracingSchema = z
  .strictObject({
    endpoint: field(httpUrl().optional(), {
      env: 'OTEL_EXPORTER_OTLP_ENDPOINT',
      description:
        'An OpenTelemetry collector that speaks OTLP over HTTP, without `/v1/traces`: traces and metrics are sent to it. Unset: none are, and no traces are made.',
      example: 'http://localhost:4318',
    }),
    headers: field(z.record(headerName, checked(secret(), findCredentialFault)).default({}), {
      description: 'Sent with everything that is sent to it; also `OTEL_EXPORTER_OTLP_HEADERS`.',
    }),
    sample: field(percent().default(0.01), {
      description: 'The share of the traces begun here that is recorded.',
    }),
    parent: field(choice(['trusted', 'always', 'never']).default('trusted'), {
      description:
        'Whose traces are gone on with, and recorded where they are: those of `server.trustedProxies`, those of all callers, or none. Other requests begin a trace of their own, with a link to theirs.',
    }),
  })
  .prefault({})
