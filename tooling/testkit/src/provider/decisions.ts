import { type Behaviour, behaviourHeader } from './behaviour.ts'
import { familyOf } from './endpoints.ts'
import { faultHeader, faultModelPrefix, parseFault, stepsOf } from './fault-spec.ts'
import type { RecordedRequest } from './recorded-request.ts'

/** A behaviour for every request, or one for each. */
export type Standing = Behaviour | ((request: RecordedRequest) => Behaviour)

/** Decides what happens to each request, and remembers how far each fault has come. */
export class Decisions {
  readonly #models: Readonly<Record<string, Behaviour>>
  readonly #queue: Behaviour[] = []
  readonly #progress = new Map<string, number>()
  #standing: Standing

  constructor(standing: Standing, models: Readonly<Record<string, Behaviour>>) {
    this.#standing = standing
    this.#models = models
  }

  /** For the next requests, one each. */
  queue(behaviours: readonly Behaviour[]): void {
    this.#queue.push(...behaviours)
  }

  /** The behaviour that waits for the next request. */
  take(): Behaviour | undefined {
    return this.#queue.shift()
  }

  /** For every request that nothing else decides. */
  stand(standing: Standing): void {
    this.#standing = standing
  }

  /** Plays a named fault, from its beginning, to every request that nothing else decides. */
  play(fault: string): void {
    const spec = parseFault(fault)
    if (typeof spec === 'string') throw new Error(spec)
    const key = `played ${fault}`
    this.#progress.delete(key)
    this.#standing = (request) => this.#step(fault, request, key)
  }

  reset(standing: Standing): void {
    this.#queue.length = 0
    this.#progress.clear()
    this.#standing = standing
  }

  /** What a request asks for by its headers, then by its model; else what stands. */
  behaviourOf(request: RecordedRequest): Behaviour {
    const given = request.header(behaviourHeader)
    if (given !== undefined) return parseBehaviour(given)
    const fault = request.header(faultHeader)
    if (fault !== undefined) return this.#step(fault, request)
    const byModel = this.#byModel(request)
    if (byModel !== undefined) return byModel
    return typeof this.#standing === 'function' ? this.#standing(request) : this.#standing
  }

  #byModel(request: RecordedRequest): Behaviour | undefined {
    const { model } = request
    if (model === undefined) return undefined
    if (Object.hasOwn(this.#models, model)) return this.#models[model]
    if (model.startsWith(faultModelPrefix)) {
      return this.#step(model.slice(faultModelPrefix.length), request)
    }
    const status = /^error-([45]\d\d)$/.exec(model)?.[1]
    return status === undefined ? undefined : { status: Number(status) }
  }

  #step(fault: string, request: RecordedRequest, key = fault): Behaviour {
    const spec = parseFault(fault)
    if (typeof spec === 'string') return refusal(spec)
    const steps = stepsOf(spec, familyOf(request))
    const index = this.#progress.get(key) ?? 0
    this.#progress.set(key, (index + 1) % steps.length)
    request.fault = spec.scenario.name
    return steps[index] ?? {}
  }
}

/** A request that asks for what there isn't is told so, where a broken connection would look like a fault. */
function refusal(message: string): Behaviour {
  return {
    status: 400,
    json: { error: { message, type: 'testkit_error', param: null, code: null } },
  }
}

function parseBehaviour(header: string): Behaviour {
  const wrong = refusal(`${behaviourHeader} must hold a JSON object: a behaviour.`)
  try {
    const value: unknown = JSON.parse(header)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? value : wrong
  } catch {
    return wrong
  }
}
