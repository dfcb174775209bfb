import type { Context, Env } from 'hono'

/** What is used of Node's `ServerResponse`, which Hono's Node server passes as `c.env.outgoing`. */
export interface NodeResponse {
  readonly statusCode: number
  readonly writableFinished: boolean
  readonly closed: boolean
  on(event: 'close', listener: () => void): unknown
}

/** Node's response of this request; `undefined` on other runtimes and under `app.request()`. */
export function nodeResponse<E extends Env>(c: Context<E>): NodeResponse | undefined {
  const env = c.env as { readonly outgoing?: Partial<NodeResponse> } | undefined
  const outgoing = env?.outgoing
  return typeof outgoing?.on === 'function' ? (outgoing as NodeResponse) : undefined
}
