import { randomBytes } from 'node:crypto'
import type { Family } from './provider-errors.ts'
import type { HeaderFields } from './reply.ts'

/** Headers that concern one connection alone (RFC 9110, 7.6.1): none of them may be passed on. */
export const hopByHopHeaders: Readonly<Record<string, string>> = {
  connection: 'x-custom, keep-alive',
  'x-custom': 'for this hop only',
  'keep-alive': 'timeout=7, max=99',
  'proxy-connection': 'keep-alive',
  'proxy-authenticate': 'Basic realm="upstream"',
  te: 'trailers',
  upgrade: 'h2c',
}

const common: HeaderFields = [
  ['server', 'cloudflare'],
  ['set-cookie', '__cf_bm=first; path=/; HttpOnly; Secure; SameSite=None'],
  ['set-cookie', '_cfuvid=second; path=/; HttpOnly; Secure; SameSite=None'],
  ['access-control-allow-origin', '*'],
  ['strict-transport-security', 'max-age=31536000; includeSubDomains; preload'],
  ['x-content-type-options', 'nosniff'],
  ['alt-svc', 'h3=":443"; ma=86400'],
]

const openaiFields: HeaderFields = [
  ['access-control-expose-headers', 'X-Request-ID'],
  ['openai-organization', 'org-testkit'],
  ['openai-processing-ms', '42'],
  ['openai-version', '2020-10-01'],
  ['x-ratelimit-limit-requests', '500'],
  ['x-ratelimit-limit-tokens', '200000'],
  ['x-ratelimit-remaining-requests', '499'],
  ['x-ratelimit-remaining-tokens', '199984'],
  ['x-ratelimit-reset-requests', '120ms'],
  ['x-ratelimit-reset-tokens', '4ms'],
]

const anthropicFields: HeaderFields = [
  ['anthropic-organization-id', '00000000-0000-4000-8000-000000000000'],
  ['anthropic-ratelimit-requests-limit', '50'],
  ['anthropic-ratelimit-requests-remaining', '49'],
  ['anthropic-ratelimit-requests-reset', '2030-01-01T00:00:00Z'],
  ['anthropic-ratelimit-tokens-limit', '50000'],
  ['anthropic-ratelimit-tokens-remaining', '49000'],
  ['anthropic-ratelimit-tokens-reset', '2030-01-01T00:00:00Z'],
]

/** The headers a provider adds to every reply, among them its own id of the request. */
export function providerHeaders(
  family: Family,
  index: number,
): { readonly requestId: string; readonly fields: HeaderFields } {
  const requestId = `req_${index}_${randomBytes(8).toString('hex')}`
  const fields: HeaderFields =
    family === 'openai'
      ? [['x-request-id', requestId], ...openaiFields, ...common]
      : [['request-id', requestId], ...anthropicFields, ...common]
  return { requestId, fields }
}
