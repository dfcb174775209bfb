import type { Protocol } from '../config/settings.ts'

/** Headers of a request that make another answer of it, on any route. */
const ALWAYS = ['accept', 'content-type', 'content-encoding', 'origin']

/** Providers' own: organisation, project, version, beta features. */
const PROVIDERS = /^(?:openai|anthropic)-/

/** On plain services anything may count; these nearly always do. Frameworks take the latter for the request's own. */
const PLAIN = [
  ...['accept-language', 'prefer'],
  ...['x-http-method-override', 'x-http-method', 'x-method-override'],
  ...['x-original-url', 'x-rewrite-url', 'x-original-host', 'x-host'],
]

/** By its name it says who asks, or for whom. Some are credentials, which nobody here has judged. */
const WHO = new RegExp(
  [
    ...['auth', 'token', 'secret', 'session', 'csrf', 'credential', 'signature', 'jwt', 'oidc'],
    ...['cert', 'assertion', '(?<!idempotency-|websocket-)key'],
    ...['user(?!-agent)', 'account', 'customer', 'impersonat', 'principal', 'identity', 'email'],
    ...['role', 'client-id', 'tenant', 'workspace', '(?<!openai-)(?:org|project)'],
  ].join('|'),
)

/** The credentials that pass are in the request's scope; what is dropped or made anew counts for nothing. */
const ELSEWHERE = new Set([
  ...['authorization', 'proxy-authorization', 'x-api-key', 'api-key', 'cookie', 'x-admin-key'],
  ...['accept-encoding', 'connection', 'host', 'content-length', 'te', 'trailer', 'upgrade'],
])

/** The most names of which it is remembered whether they tell: clients choose them. */
const MOST_NAMES = 500

type Header = readonly [name: string, value: string]

/** Which headers of a route's requests are part of what identifies an answer. */
export class TellingHeaders {
  readonly #always: ReadonlySet<string>
  /** What an `Accept` says that asks for what comes anyway. */
  readonly #plainly: ReadonlySet<string>
  readonly #known = new Map<string, string | undefined>()

  constructor(protocol: Protocol, vary: readonly string[]) {
    this.#plainly = new Set(protocol === 'http' ? ['*/*'] : ['*/*', 'application/json'])
    this.#always = new Set([
      ...ALWAYS,
      ...(protocol === 'http' ? PLAIN : []),
      ...vary.map(hyphened),
    ])
  }

  /** What of these headers counts, in one order and spelling. `isJson`: the body is, and its one type says so. */
  of(raw: readonly string[], isJson: boolean): readonly string[] {
    const found: Header[] = []
    for (let i = 0; i + 1 < raw.length; i += 2) {
      const name = this.#nameOf(raw[i] ?? '')
      if (name === undefined) continue
      found.push([name, raw[i + 1] ?? ''])
    }
    // Stable: those of one name keep their order, which counts.
    found.sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0))
    return this.#withoutPlain(found, isJson).flat()
  }

  /** The same as one text, in the order in which they came. */
  textOf(raw: readonly string[]): string {
    let text = ''
    for (let i = 0; i + 1 < raw.length; i += 2) {
      const name = this.#nameOf(raw[i] ?? '')
      if (name !== undefined) text += `${name}\0${raw[i + 1] ?? ''}\0`
    }
    return text
  }

  /** Of these headers what may be kept for longer than the request: nothing that says who asks. */
  lasting(raw: readonly string[]): readonly string[] {
    const all = this.of(raw, false)
    return all.filter((_, at) => !WHO.test(all[at - (at % 2)] ?? ''))
  }

  /** Whether an answer that varies by this header can be told from others. */
  covers(name: string): boolean {
    const lower = hyphened(name)
    return ELSEWHERE.has(lower) || this.#counts(lower)
  }

  /** Leaves out what says nothing if it is alone: which of two an upstream goes by, nobody can tell. */
  #withoutPlain(found: readonly Header[], isJson: boolean): readonly Header[] {
    const isAlone = (name: string): boolean => found.filter(([each]) => each === name).length === 1
    return found.filter(([name, value]) => {
      if (name === 'content-type') return !(isJson && isAlone(name))
      return !(name === 'accept' && this.#plainly.has(value) && isAlone(name))
    })
  }

  /** In lower case, with hyphens, if it counts: many headers come with each request, and the same ones every time. */
  #nameOf(written: string): string | undefined {
    if (this.#known.has(written)) return this.#known.get(written)
    const lower = hyphened(written)
    const name = this.#counts(lower) ? lower : undefined
    if (this.#known.size < MOST_NAMES) this.#known.set(written, name)
    return name
  }

  #counts(lower: string): boolean {
    if (this.#always.has(lower)) return true
    return !ELSEWHERE.has(lower) && (PROVIDERS.test(lower) || WHO.test(lower))
  }
}

/** In one spelling: servers that hand headers on as variables (CGI, WSGI) can't tell these apart. */
function hyphened(name: string): string {
  return name.toLowerCase().replaceAll('_', '-')
}
