import type { Context } from 'hono'
import { type CallerScope, callerScope } from '../answers/caller-scope.ts'
import { isShareable } from '../answers/shareable.ts'
import type { GatewayEnv } from '../env.ts'
import { calledBy } from '../handlers/forward.ts'
import type { Route } from '../routes.ts'
import { canonicalObject } from './canonical-json.ts'
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

const JSON_TYPE = /^\s*application\/json\s*(?:;\s*charset="?utf-8"?\s*)?$/i

/** Tells which requests of a route are the same, and whether anybody else may have what one is answered. */
export class Recogniser {
  readonly headers: TellingHeaders
  readonly #route: Route
  readonly #scopeOf: CallerScope
  /** What it is part of: the same path may lead elsewhere on another route. */
  readonly #name: readonly string[]

  constructor(route: Route) {
    const { match, cache, coalesce, primary, upstreams } = route
    this.#route = route
    this.headers = new TellingHeaders(primary.protocol, cache?.vary ?? [])
    this.#scopeOf = callerScope(route, cache?.scope ?? coalesce?.scope ?? 'key')
    this.#name = [match, ...upstreams.map(({ name }) => name)]
  }

  /** Whether it is worth it to read the request's body. */
  mayShare(c: Context<GatewayEnv>): boolean {
    const { target } = c.env.incoming
    if (!target.ok || !isShareable(c)) return false
    if (reuseOfTarget(this.#route, c.get('exchange').method, target.path) === 'none') return false
    return this.#scopeOf(c) !== undefined
  }

  /** `undefined`: it is nobody's but the client's. */
  recognise(c: Context<GatewayEnv>, body: Buffer | null): Recognised | undefined {
    const { target, headers, rawHeaders } = c.env.incoming
    const { method } = c.get('exchange')
    if (!target.ok || !isShareable(c)) return undefined
    const promised = reuseOfTarget(this.#route, method, target.path)
    const scope = promised === 'none' ? undefined : this.#scopeOf(c)
    if (scope === undefined) return undefined
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
