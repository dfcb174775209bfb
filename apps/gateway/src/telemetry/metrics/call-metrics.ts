import type { CounterSeries, HistogramSeries } from '@tidegate/telemetry'
import type {
  AttemptEnd,
  AttemptFacts,
  AttemptKind,
  AttemptObserver,
  CallObserver,
} from '../../upstreams/call-observer.ts'
import type { Endpoint } from '../../upstreams/endpoint.ts'
import type { Upstream } from '../../upstreams/upstream.ts'
import { AnswerReader } from './answer-reader.ts'
import type { Instruments } from './instruments.ts'
import type { ModelMetrics } from './model-metrics.ts'
import { operationOf } from './model-name.ts'

/** Counts and times every attempt at an upstream, and what models used. */
export function callMetrics(instruments: Instruments, models: ModelMetrics): CallObserver {
  const known = new Map<Endpoint, EndpointMetrics>()
  const metricsOf = (upstream: Upstream, endpoint: Endpoint): EndpointMetrics => {
    let metrics = known.get(endpoint)
    if (metrics === undefined) {
      metrics = new EndpointMetrics(instruments, upstream.name, endpoint.url.host)
      known.set(endpoint, metrics)
    }
    return metrics
  }
  return {
    onAttempt: (facts) => {
      const metrics = metricsOf(facts.upstream, facts.endpoint)
      metrics.attempt(facts.kind)
      const { protocol } = facts.upstream
      const operation = protocol === 'http' ? undefined : operationOf(facts.ask)
      return operation === undefined ? metrics : new ModelAttempt(facts, metrics, models, operation)
    },
  }
}

/** One endpoint's series, found once. */
class EndpointMetrics implements AttemptObserver {
  readonly #instruments: Instruments
  readonly #upstream: string
  readonly #address: string
  readonly #kinds = new Map<AttemptKind, CounterSeries>()
  /** Of answers that are no errors, by status. */
  readonly #answers = new Map<number, HistogramSeries>()

  constructor(instruments: Instruments, upstream: string, address: string) {
    this.#instruments = instruments
    this.#upstream = upstream
    this.#address = address
  }

  attempt(kind: AttemptKind): void {
    let series = this.#kinds.get(kind)
    if (series === undefined) {
      series = this.#instruments.attempts.series(this.#upstream, kind)
      this.#kinds.set(kind, series)
    }
    series.add()
  }

  onEnd(end: AttemptEnd): void {
    this.#seriesOf(end).record((end.at - end.sentAt) / 1000)
  }

  #seriesOf(end: AttemptEnd): HistogramSeries {
    const { status } = end
    const error = errorOf(end)
    if (error !== '') return this.#series(status, error)
    let series = this.#answers.get(status)
    if (series === undefined) {
      series = this.#series(status, error)
      this.#answers.set(status, series)
    }
    return series
  }

  #series(status: number, error: string): HistogramSeries {
    const code = status === 0 ? '' : String(status)
    return this.#instruments.attemptDuration.series(this.#upstream, this.#address, code, error)
  }
}

/** One attempt at a model. */
class ModelAttempt implements AttemptObserver {
  readonly #facts: AttemptFacts
  readonly #endpoint: EndpointMetrics
  readonly #models: ModelMetrics
  readonly #operation: string
  #reader: AnswerReader | undefined

  constructor(
    facts: AttemptFacts,
    endpoint: EndpointMetrics,
    models: ModelMetrics,
    operation: string,
  ) {
    this.#facts = facts
    this.#endpoint = endpoint
    this.#models = models
    this.#operation = operation
  }

  onHead(status: number, headers: Parameters<NonNullable<AttemptObserver['onHead']>>[1]): void {
    if (status < 200 || status >= 300) return
    this.#reader = AnswerReader.of(headers, this.#facts.ask.content === undefined)
  }

  onData(chunk: Buffer): void {
    this.#reader?.push(chunk)
  }

  onEnd(end: AttemptEnd): void {
    this.#endpoint.onEnd(end)
    const reading = this.#reader?.finish()
    if (reading === undefined) this.#record(end)
    else void reading.then(() => this.#record(end))
  }

  #record(end: AttemptEnd): void {
    const { ask, upstream } = this.#facts
    const reader = this.#reader
    this.#models.record({
      operation: this.#operation,
      provider: upstream.protocol,
      body: ask.content,
      answeredBy: reader?.model,
      isStream: reader?.isStream === true,
      usage: reader?.usage,
      error: errorOf(end),
      end,
    })
  }
}

/** A status that says no goes by its number, whether it was passed on or another attempt followed. */
function errorOf({ outcome, status, error }: AttemptEnd): string {
  if (outcome === 'client_gone' || outcome === 'lost_race') return outcome
  if (status >= 400) return String(status)
  return outcome === 'failed' ? (error ?? outcome) : ''
}
