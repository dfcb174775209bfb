import type { RunningGateway } from '@tidegate/testkit'

/** How a gateway is asked. */
export interface Asked {
  readonly method?: string
  readonly key?: string
  /** The operator's. */
  readonly admin?: string
  /** The `X-Session-ID`. */
  readonly session?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** What it answered. */
export interface Answered {
  readonly status: number
  readonly headers: Headers
  /** What the body says as JSON; `undefined` for one that is empty. */
  readonly body: Readonly<Record<string, unknown>> | undefined
}

export async function ask(
  gateway: RunningGateway,
  path: string,
  { method = 'GET', key, admin, session, headers = {} }: Asked = {},
): Promise<Answered> {
  const response = await fetch(`${gateway.url}${path}`, {
    method,
    headers: {
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
      ...(admin !== undefined && { 'x-admin-key': admin }),
      ...(session !== undefined && { 'x-session-id': session }),
      ...headers,
    },
  })
  const text = await response.text()
  const { status } = response
  return { status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) }
}

/** The handles of a user's open sessions, the oldest first. */
export function handlesOf({ body }: Answered): readonly string[] {
  const sessions = (body?.sessions ?? []) as readonly { readonly handle: string }[]
  return sessions.map(({ handle }) => handle)
}
