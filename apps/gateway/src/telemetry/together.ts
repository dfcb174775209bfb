import type { RequestObserver } from '../front.ts'
import type { CallObserver } from '../upstreams/call-observer.ts'

/** Several observers as one; `undefined` where there is none, so that nothing is called per request. */
export function together(
  given: readonly (RequestObserver | undefined)[],
): RequestObserver | undefined {
  const observers = given.filter((each) => each !== undefined)
  const [first] = observers
  if (observers.length < 2) return first
  return {
    begin: (c) => Object.assign({}, ...observers.map((each) => each.begin(c))),
    end: (c, end) => {
      for (const each of observers) each.end(c, end)
    },
  }
}

/** The same of those who look at calls. The first that gives headers for the upstream has its way. */
export function callsTogether(
  given: readonly (CallObserver | undefined)[],
): CallObserver | undefined {
  const observers = given.filter((each) => each !== undefined)
  const [first] = observers
  if (observers.length < 2) return first
  return {
    onAttempt: (facts) => {
      const seen = observers.flatMap((each) => each.onAttempt(facts) ?? [])
      return {
        traceHeaders: seen.find((each) => each.traceHeaders !== undefined)?.traceHeaders,
        onEnd: (end) => {
          for (const each of seen) each.onEnd(end)
        },
      }
    },
  }
}
