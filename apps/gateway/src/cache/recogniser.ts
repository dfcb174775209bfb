import type { Context } from 'hono'
import { type CallerScope, callerScope } from '../answers/caller-scope.ts'
import { isShareable } from '../answers/shareable.ts'
import type { GatewayEnv } from '../env.ts'
import { calledBy } from '../handlers/forward.ts'
import type { Route } from '../routes.ts'
import { canonicalObject } from './canonical-json.ts'
import { Recent } from './recent.ts'
import { lesserOf, type Reuse, reuseOfBody, reuseOfTarget } from './repeatable.ts'
import { modelOf, requestKey } from './request-key.ts'
import { TellingHeaders } from './telling-headers.ts'

/** A request whose answer others may have, too. */
export interface Recognised {
  readonly reuse: Exclude<Reuse, 'none'>
  /** What its answer is kept and shared under. */
  readonly key: string
  readonly model: string | undefined
  readonly path: string
}

/** Bodies up to this size are remembered as they came, and so many requests twice over. */
const REMEMBERED_BYTES = 4 * 1024
const REMEMBERED = 500

const NOBODYS = 'nobody’s'
const NO_BYTES = Buffer.alloc(0)

const JSON_TYPE = /^\s*application\/json\s*(?:;\s*charset="?utf-8"?\s*)?$/i

/** Tells which requests of a route are the same, and whether anybody else may have what one is answered. */
export class Recogniser {
  readonly headers: TellingHeaders
  readonly #route: Route
  readonly #scopeOf: CallerScope
  /** What it is part of: the same path may lead elsewhere on another route. */
  readonly #name: readonly string[]
  /** To the byte the same request is the same: what it is need not be found out again. */
  readonly #recent = new Recent<Recognised | typeof NOBODYS>(REMEMBERED)

  constructor(route: Route) {
    const { match, cache, coalesce, primary, upstreams } = route
    this.#route = route
    this.headers = new TellingHeaders(primary.protocol, cache?.vary ?? [])
    this.#scopeOf = callerScope(route, cache?.scope ?? coalesce?.scope ?? 'key')
    this.#name = [match, ...upstreams.map(({ name }) => name)]
  }

  /** Who may have the answer, as far as it can be told before the body is read; `undefined`: nobody else. */
  sharers(c: Context<GatewayEnv>): string | undefined {
    const { target } = c.env.incoming
    if (!target.ok || !isShareable(c)) return undefined
    const promised = reuseOfTarget(this.#route, c.get('exchange').method, target.path)
    return promised === 'none' ? undefined : this.#scopeOf(c)
  }

  /** `undefined`: it is nobody's but the client's. */
  recognise(
    c: Context<GatewayEnv>,
    body: Buffer | null,
    scope = this.sharers(c),
  ): Recognised | undefined {
    if (scope === undefined) return undefined
    if (body !== null && body.length > REMEMBERED_BYTES) return this.#recognise(c, body, scope)
    const text = this.#textOf(c, body ?? NO_BYTES, scope)
    const known = this.#recent.get(text)
    if (known !== undefined) return known === NOBODYS ? undefined : known
    const found = this.#recognise(c, body, scope)
    this.#recent.set(text, found ?? NOBODYS)
    return found
  }

  /** All that recognising looks at. No header or path holds a NUL, and the body is all that follows. */
  #textOf(c: Context<GatewayEnv>, body: Buffer, scope: string): string {
    const { target, rawHeaders } = c.env.incoming
    if (!target.ok) return ''
    const { method } = c.get('exchange')
    const called = this.#isPlain ? calledBy(c).join('\0') : ''
    const head = `${scope.length}:${scope}${method}\0${target.path}\0${target.query}\0${called}\0`
    return `${head}${this.headers.textOf(rawHeaders)}\0${body.toString('latin1')}`
  }

  #recognise(c: Context<GatewayEnv>, body: Buffer | null, scope: string): Recognised | undefined {
    const { target, headers, rawHeaders } = c.env.incoming
    if (!target.ok) return undefined
    const { method } = c.get('exchange')
    const promised = reuseOfTarget(this.#route, method, target.path)
    const type = headers['content-type']
    const isJson = type !== undefined && JSON_TYPE.test(type)
    const content = (isJson && body !== null && canonicalObject(body)) || body
    const reuse = this.#reuse(promised, target.path, content)
    if (reuse === 'none') return undefined
    const isObject = content !== null && 'members' in content
    const telling = this.headers.of(rawHeaders, isObject)
    const key = requestKey({
      ...{ route: this.#name, scope, method, path: target.path, query: target.query },
      headers: this.#isPlain ? [...telling, ...calledBy(c)] : telling,
      body: content,
    })
    return { reuse, key, model: modelOf(content), path: target.path }
  }

  get #isPlain(): boolean {
    return this.#route.primary.protocol === 'http'
  }

  /** What an AI endpoint is asked is known only if it is JSON. */
  #reuse(promised: Reuse, path: string, content: Parameters<typeof modelOf>[0]): Reuse {
    if (this.#isPlain || content === null) return promised
    if (Buffer.isBuffer(content)) return 'none'
    return lesserOf(promised, reuseOfBody(path, content))
  }
}
