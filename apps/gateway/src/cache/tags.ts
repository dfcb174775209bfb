import type { Context } from 'hono'
import type { Scope } from '../config/settings.ts'
import type { GatewayEnv } from '../env.ts'

/** The tag of the caller whose an answer is. What everybody may have is nobody's. */
export function callerTags(c: Context<GatewayEnv>, scope: Scope): readonly string[] {
  const { kind, id } = c.get('identity')
  return scope === 'public' || kind === 'anonymous' ? [] : [userTag(`${kind}:${id}`)]
}

/** A user's tag: users are `key:ID`, `jwt:USER` and `oauth:USER`, as their sessions have it. */
export function userTag(user: string): string {
  return `user:${user.toWellFormed()}`
}

/** Of the requests that are kept of somebody: they are not among the answers. */
export function requestsTag(tag: string): string {
  return `requests of ${tag}`
}
