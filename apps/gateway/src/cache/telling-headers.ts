import type { Protocol } from '../config/settings.ts'

/** Headers of a request that make another answer of it, on any route. */
const ALWAYS = ['accept', 'content-type', 'origin']

/** Providers' own: organisation, project, version, beta features. */
const PROVIDERS = /^(?:openai|anthropic)-/

/** On plain services anything may count; these nearly always do. */
const PLAIN = ['accept-language', 'prefer']

/** By its name it says who asks, or for whom. Some are credentials, which nobody here has judged. */
const WHO = /auth|token|secret|session|csrf|tenant|user(?!-agent)|account|customer|impersonat/

/** The credentials that pass are in the request's scope; what is dropped or made anew counts for nothing. */
const ELSEWHERE = new Set([
  ...['authorization', 'proxy-authorization', 'x-api-key', 'api-key', 'cookie', 'x-admin-key'],
  ...['accept-encoding', 'connection', 'host', 'content-length', 'te', 'trailer', 'upgrade'],
])

/** The most names of which it is remembered whether they tell: clients choose them. */
const MOST_NAMES = 500

/** Which headers of a route's requests are part of what identifies an answer. */
export class TellingHeaders {
  readonly #always: ReadonlySet<string>
  /** What an `Accept` says that asks for what comes anyway. */
  readonly #plainly: ReadonlySet<string>
  readonly #known = new Map<string, string | undefined>()

  constructor(protocol: Protocol, vary: readonly string[]) {
    this.#plainly = new Set(protocol === 'http' ? ['*/*'] : ['*/*', 'application/json'])
    this.#always = new Set([...ALWAYS, ...(protocol === 'http' ? PLAIN : []), ...vary])
  }

  /** What of these headers counts, in one order and spelling. `isJson`: the body's type is known. */
  of(raw: readonly string[], isJson: boolean): readonly string[] {
    const found: [name: string, value: string][] = []
    for (let i = 0; i + 1 < raw.length; i += 2) {
      const name = this.#nameOf(raw[i] ?? '')
      if (name === undefined || (isJson && name === 'content-type')) continue
      const value = raw[i + 1] ?? ''
      if (name === 'accept' && this.#plainly.has(value)) continue
      found.push([name, value])
    }
    // Stable: those of one name keep their order, which counts.
    return found.sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0)).flat()
  }

  /** Of these headers what may be kept for longer than the request: nothing that says who asks. */
  lasting(raw: readonly string[]): readonly string[] {
    const all = this.of(raw, false)
    return all.filter((_, at) => !WHO.test(all[at - (at % 2)] ?? ''))
  }

  /** Whether an answer that varies by this header can be told from others. */
  covers(name: string): boolean {
    const lower = name.toLowerCase()
    return ELSEWHERE.has(lower) || this.#counts(lower)
  }

  /** In lower case if it counts: many headers come with each request, and the same ones every time. */
  #nameOf(written: string): string | undefined {
    if (this.#known.has(written)) return this.#known.get(written)
    const lower = written.toLowerCase()
    const name = this.#counts(lower) ? lower : undefined
    if (this.#known.size < MOST_NAMES) this.#known.set(written, name)
    return name
  }

  #counts(lower: string): boolean {
    if (this.#always.has(lower)) return true
    return !ELSEWHERE.has(lower) && (PROVIDERS.test(lower) || WHO.test(lower))
  }
}
