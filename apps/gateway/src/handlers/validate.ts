import { createBodyValidator } from '@tidegate/server'
import type { RouteSettings } from '../config/settings.ts'
import type { Gate } from '../gates.ts'
import { type BodyLimits, wholeBody } from './body.ts'

/**
 * Reads a request's body and lets it pass only if it is what the route asks for. The bytes that go on
 * are the bytes that came.
 */
export async function validate(
  rules: NonNullable<RouteSettings['validate']>,
  limits: BodyLimits,
): Promise<Gate> {
  const check = await createBodyValidator(rules)
  return async (c) => {
    const { incoming } = c.env
    if (incoming.upgraded !== undefined) return
    const problem = check(incoming.headers['content-type'], await wholeBody(c, limits))
    if (problem !== undefined) throw problem
  }
}
