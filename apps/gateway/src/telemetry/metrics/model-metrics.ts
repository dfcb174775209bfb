import type { CounterSeries, HistogramSeries } from '@tidegate/telemetry'
import type { ModelPrice } from '../../config/settings.ts'
import type { AttemptEnd } from '../../upstreams/call-observer.ts'
import type { ReportedUsage } from '../../usage/usage-scanner.ts'
import type { Instruments } from './instruments.ts'
import { modelIn } from './model-name.ts'

/** What models beyond the limit, and those that nobody knows, are counted as. */
const OTHER = 'other'

const TOKENS_OF_PRICE = 1_000_000

export interface ModelMetricsOptions {
  /** How many models are told apart. */
  readonly most: number
  readonly prices: ReadonlyMap<string, ModelPrice>
}

/** One call of a model that is over. */
export interface ModelCall {
  readonly operation: string
  readonly provider: string
  /** The request's body, where it is here. */
  readonly body: Buffer | undefined
  /** What the answer calls the model. */
  readonly answeredBy: string | undefined
  readonly isStream: boolean
  readonly usage: ReportedUsage | undefined
  /** Empty: it went well. */
  readonly error: string
  readonly end: AttemptEnd
}

type Labels = readonly [operation: string, provider: string, model: string]

/** What one model is asked for: its series, each made when there is something in it. */
class ModelSeries {
  readonly #instruments: Instruments
  readonly #labels: Labels
  readonly #price: ModelPrice | undefined
  #duration: HistogramSeries | undefined
  #firstChunk: HistogramSeries | undefined
  #input: HistogramSeries | undefined
  #output: HistogramSeries | undefined
  #cost: CounterSeries | undefined

  constructor(instruments: Instruments, labels: Labels, price?: ModelPrice) {
    this.#instruments = instruments
    this.#labels = labels
    this.#price = price
  }

  took(seconds: number, error: string): void {
    const { operationDuration } = this.#instruments
    if (error !== '') {
      operationDuration.series(...this.#labels, error).record(seconds)
      return
    }
    this.#duration ??= operationDuration.series(...this.#labels, '')
    this.#duration.record(seconds)
  }

  began(seconds: number): void {
    this.#firstChunk ??= this.#instruments.firstChunk.series(...this.#labels)
    this.#firstChunk.record(seconds)
  }

  used({ input, output, total }: ReportedUsage): void {
    const { tokens, cost } = this.#instruments
    const made = output ?? Math.max(0, total - (input ?? 0))
    if (input !== undefined) {
      this.#input ??= tokens.series(...this.#labels, 'input')
      this.#input.record(input)
    }
    if (output !== undefined || made > 0) {
      this.#output ??= tokens.series(...this.#labels, 'output')
      this.#output.record(made)
    }
    const price = this.#price
    if (price === undefined) return
    this.#cost ??= cost.series(this.#labels[2])
    this.#cost.add(((input ?? 0) * price.input + made * price.output) / TOKENS_OF_PRICE)
  }
}

/** Counts what models are used for. */
export class ModelMetrics {
  readonly #instruments: Instruments
  readonly #options: ModelMetricsOptions
  readonly #known: Set<string>
  readonly #series = new Map<string, Map<string, ModelSeries>>()

  constructor(instruments: Instruments, options: ModelMetricsOptions) {
    this.#instruments = instruments
    this.#options = options
    this.#known = new Set(options.prices.keys())
  }

  record(call: ModelCall): void {
    const { operation, provider, body, error, end, usage, isStream } = call
    const named = (body && modelIn(body)) ?? call.answeredBy
    const series = this.#seriesOf(operation, provider, this.#admitted(named, error === ''))
    series.took((end.at - end.sentAt) / 1000, error)
    if (isStream && end.firstByteAt !== undefined)
      series.began((end.firstByteAt - end.sentAt) / 1000)
    if (usage !== undefined) series.used(usage)
  }

  /** A name that no upstream has answered to yet may be anything that clients make up. */
  #admitted(name: string | undefined, isGood: boolean): string {
    if (name === undefined) return ''
    if (this.#known.has(name)) return name
    if (!isGood || this.#known.size >= this.#options.most) return OTHER
    this.#known.add(name)
    return name
  }

  #seriesOf(operation: string, provider: string, model: string): ModelSeries {
    const key = operation === 'chat' ? provider : `${provider} ${operation}`
    const models = this.#series.get(key) ?? new Map<string, ModelSeries>()
    const known = models.get(model)
    if (known !== undefined) return known
    const price = this.#options.prices.get(model)
    const made = new ModelSeries(this.#instruments, [operation, provider, model], price)
    models.set(model, made)
    this.#series.set(key, models)
    return made
  }
}
