import type { Context } from 'hono'

/** The parts of Node's request that the kit reads. */
export interface Incoming {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly socket?: IncomingSocket
}

/** The parts of a request's socket that the kit reads. */
export interface IncomingSocket {
  readonly remoteAddress?: string | undefined
  readonly destroyed?: boolean
  once?(event: 'close', listener: () => void): unknown
}

/** The parts of Node's response that the kit reads. */
export interface Outgoing {
  readonly destroyed: boolean
  readonly headersSent: boolean
  readonly writableFinished: boolean
  once(event: 'close', listener: () => void): unknown
}

interface NodeBindings {
  readonly incoming?: Incoming
  readonly outgoing?: Outgoing
}

/** Node's request behind a context; absent under `app.request()` and on other runtimes. */
export function incomingOf(c: Context): Incoming | undefined {
  return (c.env as NodeBindings | undefined)?.incoming
}

/** Node's response behind a context; absent under `app.request()` and for upgraded sockets. */
export function outgoingOf(c: Context): Outgoing | undefined {
  return (c.env as NodeBindings | undefined)?.outgoing
}

/**
 * A request header by its lower-case name. On Node it is read from Node's own parsed headers, which
 * is several times cheaper than through a Web `Headers` object.
 */
export function requestHeader(c: Context, name: string): string | undefined {
  const incoming = incomingOf(c)
  if (incoming === undefined) return c.req.header(name)
  const value = Object.hasOwn(incoming.headers, name) ? incoming.headers[name] : undefined
  return typeof value === 'string' ? value : value?.join(', ')
}

const PROXY_HEADER = /^(?:x-forwarded-.*|forwarded|via|x-real-ip)$/

/** True when any header says that a proxy passed the request on. */
export function isForwarded(c: Context): boolean {
  const headers = incomingOf(c)?.headers
  const names = headers === undefined ? [...c.req.raw.headers.keys()] : Object.keys(headers)
  return names.some((name) => PROXY_HEADER.test(name))
}

/**
 * Calls `settled` once: with true when the response has gone out whole, with false when the client
 * left before. Where nothing can be seen of the connection only leaving is reported.
 */
export function onConnectionEnd(c: Context, settled: (complete: boolean) => void): void {
  const outgoing = outgoingOf(c)
  if (outgoing !== undefined) {
    if (outgoing.destroyed) settled(outgoing.writableFinished)
    else outgoing.once('close', () => settled(outgoing.writableFinished))
    return
  }
  const socket = incomingOf(c)?.socket
  if (socket?.once !== undefined) {
    if (socket.destroyed === true) settled(false)
    else socket.once('close', () => settled(false))
    return
  }
  const { signal } = c.req.raw
  if (signal.aborted) settled(false)
  else signal.addEventListener('abort', () => settled(false), { once: true })
}
