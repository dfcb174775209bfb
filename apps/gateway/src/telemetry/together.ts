import type { RequestObserver } from '../front.ts'

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
