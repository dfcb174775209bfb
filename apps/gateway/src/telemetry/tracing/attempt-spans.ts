import {
  clientEnding,
  clientSpan,
  type SpanAttributes,
  type SpanHandle,
  type Tracing,
} from '@tidegate/telemetry/tracing'
import type {
  AttemptEnd,
  AttemptFacts,
  AttemptObserver,
  CallObserver,
} from '../../upstreams/call-observer.ts'
import { AnswerReader } from '../metrics/answer-reader.ts'
import { modelIn, operationOf } from '../metrics/model-name.ts'

/** The span of each attempt at an upstream, to the end of its answer's body. */
export function attemptSpans(tracing: Tracing): CallObserver {
  return {
    onAttempt: (facts) => {
      // All attempts of a request go by the id then that its log lines have.
      if (facts.span?.sampled === false) return undefined
      const span = begin(facts, tracing)
      return span.sampled ? new RecordedAttempt(facts, span) : { span, onEnd: () => undefined }
    },
  }
}

function begin(facts: AttemptFacts, tracing: Tracing): SpanHandle {
  const { span: parent, kind, upstream, number, after } = facts
  const { name, ...options } = spanOf(facts)
  // Made when nobody asks, for a warm-up: it belongs to no request.
  if (parent === undefined) return tracing.begin(undefined, undefined, { name, ...options })
  if (kind !== 'first') {
    parent.event(`tidegate.${kind}`, {
      'tidegate.upstream': upstream.name,
      'tidegate.attempt': number,
      'tidegate.after': after,
    })
  }
  return parent.child(name, options)
}

function spanOf(facts: AttemptFacts): ReturnType<typeof clientSpan> {
  const { ask, upstream, endpoint, number, kind } = facts
  const url = endpoint.url.origin + ask.target(endpoint)
  const { name, attributes } = clientSpan({ method: ask.method, url, resendCount: number - 1 })
  return {
    name: `${name} ${upstream.name}`,
    kind: 'client',
    attributes: {
      ...attributes,
      'tidegate.upstream': upstream.name,
      'tidegate.attempt': number,
      'tidegate.attempt.kind': kind,
      ...askedModel(facts),
    },
  }
}

/** Which model is asked, and what for; never what it is asked. */
function askedModel({ ask, upstream }: AttemptFacts): SpanAttributes {
  const operation = upstream.protocol === 'http' ? undefined : operationOf(ask)
  if (operation === undefined) return {}
  return {
    'gen_ai.operation.name': operation,
    'gen_ai.provider.name': upstream.protocol,
    'gen_ai.request.model': ask.content && modelIn(ask.content),
  }
}

class RecordedAttempt implements AttemptObserver {
  readonly span: SpanHandle
  readonly #facts: AttemptFacts
  #reader: AnswerReader | undefined

  constructor(facts: AttemptFacts, span: SpanHandle) {
    this.#facts = facts
    this.span = span
  }

  onHead(status: number, headers: Parameters<NonNullable<AttemptObserver['onHead']>>[1]): void {
    const { ask, upstream } = this.#facts
    if (status < 200 || status >= 300 || upstream.protocol === 'http') return
    if (operationOf(ask) !== undefined) this.#reader = AnswerReader.of(headers, true)
  }

  onData(chunk: Buffer): void {
    this.#reader?.push(chunk)
  }

  onEnd(end: AttemptEnd): void {
    const { span } = this
    const { outcome, status, error, firstByteAt, at } = end
    if (firstByteAt !== undefined) span.event('tidegate.first_byte', undefined, firstByteAt)
    span.set({ 'tidegate.outcome': outcome })
    const failure = outcome === 'failed' && status < 400 ? error : undefined
    const ending = { ...clientEnding(status === 0 ? undefined : status, failure), at }
    const reader = this.#reader
    const done = (): void => {
      if (reader !== undefined) span.set(modelAnswer(reader))
      span.end(ending)
    }
    const reading = reader?.finish()
    if (reading === undefined) done()
    else void reading.then(done)
  }
}

function modelAnswer({ model, usage }: AnswerReader): SpanAttributes {
  return {
    'gen_ai.response.model': model,
    'gen_ai.usage.input_tokens': usage?.input,
    'gen_ai.usage.output_tokens': usage?.output,
  }
}
