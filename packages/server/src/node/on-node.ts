import { alreadySent } from '../problems/problems.ts'

/** A Hono app's `fetch`. */
export type Fetch<Env> = (request: Request, env: Env) => Response | Promise<Response>

/** What @hono/node-server passes as bindings. */
export interface OutgoingBinding {
  readonly outgoing: { readonly headersSent: boolean }
}

/**
 * Wraps an app's `fetch` for @hono/node-server, for apps whose handlers write Node's response
 * themselves: Hono makes a new response for each `HEAD` request, which loses the mark that says so, and
 * the adapter would then write a second one over the first.
 */
export function onNode<Env extends OutgoingBinding>(fetch: Fetch<Env>): Fetch<Env> {
  return (request, env) => {
    if (request.method !== 'HEAD') return fetch(request, env)
    return Promise.resolve(fetch(request, env)).then((response) =>
      response.headers.has('x-hono-already-sent') ? alreadySent() : response,
    )
  }
}
