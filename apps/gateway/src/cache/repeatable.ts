import type { RouteCacheSettings } from '../config/settings.ts'
import type { Route } from '../routes.ts'
import type { CanonicalObject } from './canonical-json.ts'

/**
 * What another request may have of an answer. `share`: the call that is under way, as each would have begun
 * the same; `keep`: also the answer that was kept; `none`: each request does something of its own.
 */
export type Reuse = 'none' | 'share' | 'keep'

/** Endpoints of AI protocols that answer a question and change nothing. */
const ASKING =
  /\/(?:chat\/completions|completions|embeddings|responses|messages|messages\/count_tokens|moderations|rerank)$/

const LISTING = /\/models(?:\/[^/]+)*$/

/** Tools that the provider runs, and that keep or change something elsewhere. In canonical JSON no text can say it. */
const ACTING = /"type":"(?:mcp|code_interpreter|code_execution|computer|shell)/

/** What a request's method and path promise, before its body is looked at. */
export function reuseOfTarget(
  {
    primary,
    cache,
  }: Pick<Route, 'cache'> & { readonly primary: Pick<Route['primary'], 'protocol'> },
  method: string,
  path: string,
): Reuse {
  if (primary.protocol === 'http') return reuseOfPlain(cache, method)
  if (method === 'GET') return LISTING.test(path) ? keepIf(cache) : 'none'
  return method === 'POST' && ASKING.test(path) ? keepIf(cache) : 'none'
}

function reuseOfPlain(cache: RouteCacheSettings | undefined, method: string): Reuse {
  if (cache === undefined) return method === 'GET' ? 'share' : 'none'
  return cache.methods.some((each) => each === method) ? 'keep' : 'none'
}

function keepIf(cache: RouteCacheSettings | undefined): Reuse {
  return cache === undefined ? 'share' : 'keep'
}

/** The same, with the body of a POST to an AI endpoint. */
export function reuseOfBody(path: string, { text, members }: CanonicalObject): Reuse {
  if (members.get('background') === 'true' || isSaid(members, 'conversation')) return 'none'
  if (isSaid(members, 'container') || isSaid(members, 'mcp_servers') || ACTING.test(text)) {
    return 'none'
  }
  // What the provider keeps has an id of its own, which its owner may delete or go on from.
  const isStored = path.endsWith('/responses')
    ? members.get('store') !== 'false'
    : members.get('store') === 'true'
  return isStored ? 'share' : 'keep'
}

function isSaid(members: CanonicalObject['members'], name: string): boolean {
  const value = members.get(name)
  return value !== undefined && value !== 'null' && value !== '[]'
}

/** The lesser of two. */
export function lesserOf(one: Reuse, other: Reuse): Reuse {
  if (one === 'none' || other === 'none') return 'none'
  return one === 'share' || other === 'share' ? 'share' : 'keep'
}
