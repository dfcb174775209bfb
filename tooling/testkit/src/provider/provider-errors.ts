import type { Behaviour } from './behaviour.ts'
import { bytesReply, type HeaderFields, jsonReply, type Reply } from './reply.ts'

/** Whose form an error has. */
export type Family = 'openai' | 'anthropic'

interface OpenaiError {
  readonly message: string
  readonly type: string
  readonly param: string | null
  readonly code: string | null
}

const invalid = (message: string, code: string | null = null, param: string | null = null) => {
  return { message, type: 'invalid_request_error', param, code }
}

const openaiErrors: Readonly<Record<number, OpenaiError>> = {
  400: invalid(
    "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
    'empty_array',
    'messages',
  ),
  401: invalid(
    'Incorrect API key provided: sk-wrong. You can find your API key at https://platform.openai.com/account/api-keys.',
    'invalid_api_key',
  ),
  403: {
    message: 'Country, region, or territory not supported',
    type: 'request_forbidden',
    param: null,
    code: 'unsupported_country_region_territory',
  },
  404: invalid(
    'The model `gpt-0` does not exist or you do not have access to it.',
    'model_not_found',
  ),
  409: invalid('The resource was updated by another request.', 'conflict'),
  413: {
    message: 'Maximum content size limit (26214400) exceeded (26214401 bytes read)',
    type: 'server_error',
    param: null,
    code: null,
  },
  422: invalid('The request was well-formed but could not be processed.', 'unprocessable_entity'),
  429: {
    message:
      'Rate limit reached for gpt-4o-mini in organization org-testkit on requests per min (RPM): Limit 500, Used 500, Requested 1. Please try again in 120ms. Visit https://platform.openai.com/account/rate-limits to learn more.',
    type: 'requests',
    param: null,
    code: 'rate_limit_exceeded',
  },
  500: {
    message: 'The server had an error while processing your request. Sorry about that!',
    type: 'server_error',
    param: null,
    code: null,
  },
  503: {
    message: 'The engine is currently overloaded, please try again later',
    type: 'server_error',
    param: null,
    code: null,
  },
}

const namedOpenaiErrors: Readonly<Record<NonNullable<Behaviour['error']>, [number, OpenaiError]>> =
  {
    context_length_exceeded: [
      400,
      invalid(
        "This model's maximum context length is 128000 tokens. However, your messages resulted in 128001 tokens. Please reduce the length of the messages.",
        'context_length_exceeded',
        'messages',
      ),
    ],
    content_filter: [
      400,
      invalid(
        'Your request was rejected as a result of our safety system.',
        'content_policy_violation',
      ),
    ],
    insufficient_quota: [
      429,
      {
        message:
          'You exceeded your current quota, please check your plan and billing details. For more information on this error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.',
        type: 'insufficient_quota',
        param: null,
        code: 'insufficient_quota',
      },
    ],
  }

type AnthropicError = readonly [type: string, message: string]

const anthropicErrors: Readonly<Record<number, AnthropicError>> = {
  400: ['invalid_request_error', 'messages: at least one message is required'],
  401: ['authentication_error', 'invalid x-api-key'],
  403: ['permission_error', 'Your API key does not have permission to use the specified resource.'],
  404: ['not_found_error', 'model: claude-0'],
  413: ['request_too_large', 'Request exceeds the maximum size'],
  429: [
    'rate_limit_error',
    'This request would exceed the rate limit for your organization of 50 requests per minute.',
  ],
  500: ['api_error', 'Internal server error'],
  503: ['api_error', 'Service unavailable'],
  504: ['timeout_error', 'Request timed out'],
  529: ['overloaded_error', 'Overloaded'],
}

function unlistedAnthropicError(status: number): AnthropicError {
  return [status < 500 ? 'invalid_request_error' : 'api_error', `HTTP ${status}`]
}

const namedAnthropicErrors: Readonly<
  Record<NonNullable<Behaviour['error']>, readonly [number, AnthropicError]>
> = {
  context_length_exceeded: [
    400,
    ['invalid_request_error', 'prompt is too long: 200001 tokens > 200000 maximum'],
  ],
  content_filter: [400, ['invalid_request_error', 'Output blocked by content filtering policy']],
  insufficient_quota: [
    400,
    [
      'invalid_request_error',
      'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.',
    ],
  ],
}

/** What the proxy in front of a provider says when the provider itself can't. */
const badGatewayPage = `<html>\r
<head><title>502 Bad Gateway</title></head>\r
<body>\r
<center><h1>502 Bad Gateway</h1></center>\r
<hr><center>cloudflare</center>\r
</body>\r
</html>\r
`

const retryHeaders: Readonly<Record<Family, HeaderFields>> = {
  openai: [
    ['retry-after', '1'],
    ['retry-after-ms', '120'],
  ],
  anthropic: [['retry-after', '1']],
}

function retryFields(status: number, family: Family): HeaderFields {
  return status === 429 ? retryHeaders[family] : []
}

/** An OpenAI error object with the given message. */
function openaiError(status: number, error: OpenaiError): Reply {
  return jsonReply({ error }, status, retryFields(status, 'openai'))
}

/** An Anthropic error object with the given message. */
function anthropicError(status: number, [type, message]: AnthropicError, id: string): Reply {
  const body = { type: 'error', error: { type, message }, request_id: id }
  return jsonReply(body, status, retryFields(status, 'anthropic'))
}

/** The provider's own error of a status, or a named one. */
export function errorReply(
  family: Family,
  status: number,
  requestId: string,
  named?: Behaviour['error'],
): Reply {
  if (status === 502 && named === undefined) {
    return bytesReply(Buffer.from(badGatewayPage), 'text/html', 502)
  }
  const plain = `HTTP ${status}`
  if (family === 'anthropic') {
    const [usual, error] =
      named === undefined
        ? [status, anthropicErrors[status] ?? unlistedAnthropicError(status)]
        : namedAnthropicErrors[named]
    return anthropicError(usual, error, requestId)
  }
  const [usual, error] =
    named === undefined
      ? [status, openaiErrors[status] ?? { ...invalid(plain), type: 'server_error' }]
      : namedOpenaiErrors[named]
  return openaiError(usual, error)
}

/** The provider's error for a request it can't make sense of. */
export function rejection(
  family: Family,
  status: number,
  requestId: string,
  message: string,
  code: string | null = null,
): Reply {
  if (family === 'openai') return openaiError(status, invalid(message, code))
  const type = anthropicErrors[status]?.[0] ?? 'invalid_request_error'
  return anthropicError(status, [type, message], requestId)
}
