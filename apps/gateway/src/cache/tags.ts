import type { Context } from 'hono'
import type { Scope } from '../config/settings.ts'
import type { GatewayEnv } from '../env.ts'
import type { Recognised } from './recogniser.ts'

/**
 * What an answer can be thrown away by, beside its route: the model as it was asked for, and the caller whose
 * it is. What everybody may have is nobody's.
 */
export function callerTags(
  c: Context<GatewayEnv>,
  { model }: Pick<Recognised, 'model'>,
  scope: Scope,
): readonly string[] {
  const tags = model === undefined ? [] : [`model:${model}`]
  const { kind, id } = c.get('identity')
  if (scope === 'public' || kind === 'anonymous') return tags
  return [...tags, userTag(`${kind}:${id}`)]
}

/** A user's tag: users are `key:ID`, `jwt:USER` and `oauth:USER`, as their sessions have it. */
export function userTag(user: string): string {
  return `user:${user.toWellFormed()}`
}

/** Of the requests that are kept of somebody: they are not among the answers. */
export function requestsTag(tag: string): string {
  return `requests of ${tag}`
}
