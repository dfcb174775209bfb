/**
 * The names of OpenTelemetry's conventions for generative AI, all of them here: the conventions are in
 * development (github.com/open-telemetry/semantic-conventions-genai, docs/gen-ai), and when they change,
 * this file does.
 */

/** Attributes of spans; labels of metrics are the same with `_`. */
export const genAiAttributes = Object.freeze({
  operationName: 'gen_ai.operation.name',
  providerName: 'gen_ai.provider.name',
  requestModel: 'gen_ai.request.model',
  requestStream: 'gen_ai.request.stream',
  responseModel: 'gen_ai.response.model',
  timeToFirstChunk: 'gen_ai.response.time_to_first_chunk',
  tokenType: 'gen_ai.token.type',
  inputTokens: 'gen_ai.usage.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',
} as const)

/** Values of `gen_ai.operation.name`. */
export type GenAiOperation = 'chat' | 'embeddings' | 'text_completion'

/** Values of `gen_ai.token.type`. */
export type GenAiTokenType = 'input' | 'output'

const operationBuckets: readonly number[] = Object.freeze([
  0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
])

const operation = ['gen_ai_operation_name', 'gen_ai_provider_name', 'gen_ai_request_model'] as const

/** `gen_ai.client.token.usage`: declare it with `metrics.histogram(genAiTokenUsage.name, genAiTokenUsage)`. */
export const genAiTokenUsage = Object.freeze({
  name: 'gen_ai_client_token_usage',
  help: 'Number of input and output tokens used.',
  labels: [...operation, 'gen_ai_token_type'] as const,
  buckets: Object.freeze([
    1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216,
    67_108_864,
  ]),
})

/** `gen_ai.client.operation.duration`. */
export const genAiOperationDuration = Object.freeze({
  name: 'gen_ai_client_operation_duration_seconds',
  help: 'How long a call of a model took, to the end of its answer.',
  unit: 'seconds',
  labels: [...operation, 'error_type'] as const,
  buckets: operationBuckets,
})

/** `gen_ai.client.operation.time_to_first_chunk`: of streams only. */
export const genAiTimeToFirstChunk = Object.freeze({
  name: 'gen_ai_client_operation_time_to_first_chunk_seconds',
  help: 'How long a streamed call of a model took to its first chunk.',
  unit: 'seconds',
  labels: operation,
  buckets: operationBuckets,
})
