import { isServerError } from '@tidegate/server'
import type { SpanHandle } from '@tidegate/telemetry/tracing'
import type { Context } from 'hono'
import type { GatewayEnv } from '../../env.ts'
import type { Gate } from '../../gates.ts'

/** A gate with a span of its own in the traces that are recorded. */
export function traced(name: string, gate: Gate): Gate {
  return (c) => step(c, name, () => gate(c))
}

/** Does something as a step of the request's trace, where that is recorded. */
export function step<T>(c: Context<GatewayEnv>, name: string, run: () => T): T {
  const parent = c.get('span')
  if (parent?.sampled !== true) return run()
  const span = parent.child(name)
  let result: T
  try {
    result = run()
  } catch (error) {
    endWith(span, error)
    throw error
  }
  if (result instanceof Promise) {
    result.then(
      () => span.end(),
      (error: unknown) => endWith(span, error),
    )
  } else span.end()
  return result
}

/** A refusal is what a step is for, and no error of it. */
function endWith(span: SpanHandle, thrown: unknown): void {
  if (isServerError(thrown)) span.end({ attributes: { 'tidegate.error_code': thrown.code } })
  else span.end({ error: 'internal_error' })
}
