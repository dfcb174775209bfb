import type { SpanHandle } from '@tidegate/telemetry/tracing'
import type { RequestObserver } from '../front.ts'
import type { AttemptEnd, AttemptObserver, CallObserver } from '../upstreams/call-observer.ts'

/** Several observers as one; `undefined` where there is none, so that nothing is called per request. */
export function together(
  given: readonly (RequestObserver | undefined)[],
): RequestObserver | undefined {
  const observers = given.filter((each) => each !== undefined)
  const [first] = observers
  if (observers.length < 2) return first
  return {
    begin: (c, fields) => {
      for (const each of observers) each.begin(c, fields)
    },
    end: (c, end) => {
      for (const each of observers) each.end(c, end)
    },
  }
}

/** The same of those who look at calls. The first that has a span has its way. */
export function callsTogether(
  given: readonly (CallObserver | undefined)[],
): CallObserver | undefined {
  const observers = given.filter((each) => each !== undefined)
  const [first] = observers
  if (observers.length < 2) return first
  return {
    onAttempt: (facts) => {
      const seen: AttemptObserver[] = []
      for (const each of observers) {
        const observer = each.onAttempt(facts)
        if (observer !== undefined) seen.push(observer)
      }
      const [only] = seen
      return seen.length < 2 ? only : new AttemptObservers(seen)
    },
  }
}

class AttemptObservers implements AttemptObserver {
  readonly span: SpanHandle | undefined
  readonly #all: readonly AttemptObserver[]

  constructor(all: readonly AttemptObserver[]) {
    this.#all = all
    this.span = all.find(({ span }) => span !== undefined)?.span
  }

  onHead(...head: Parameters<NonNullable<AttemptObserver['onHead']>>): void {
    for (const each of this.#all) each.onHead?.(...head)
  }

  onData(chunk: Buffer): void {
    for (const each of this.#all) each.onData?.(chunk)
  }

  onEnd(end: AttemptEnd): void {
    for (const each of this.#all) each.onEnd(end)
  }
}
