import { IncomingMessage, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { normaliseTarget, type Target } from '@tidegate/server'

/** A handshake's raw connection. */
export interface Upgrade {
  readonly socket: Duplex
  /** What the client sent behind the handshake, already read. */
  readonly head: Buffer
}

/** Nearly all of them: nothing in it that would have to be looked at more closely. */
const PLAIN_HOST = /^[a-z0-9._-]+(?::\d{1,4})?$/

/** A registered name, an IPv4 address or a bracketed IPv6 address, and a port (RFC 9110 §7.2). */
const HOST = /^(?:[a-z0-9._~!$&'()*+,;=-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i

/** Node's request with what the gateway worked out once, before anything else looked at it. */
export class GatewayRequest extends IncomingMessage {
  /** The one path that is both matched and forwarded. */
  target: Target = { ok: true, path: '/', query: '' }
  /** The client waits for `100 Continue` before it sends its body. */
  expectsContinue = false
  upgraded: Upgrade | undefined = undefined

  /**
   * Judges the target and the Host. What fails is refused by the pipeline like anything else, with an
   * id and a log line; until then it goes by a harmless name, as nothing may act on the bad one.
   */
  admit(): void {
    this.target = normaliseTarget(this.url ?? '')
    const reason = this.#badHost()
    if (reason !== undefined) {
      this.headers.host = 'localhost'
      this.target = { ok: false, reason }
    }
    if (!this.target.ok) this.url = '/'
  }

  /** The body is wanted: whoever waits to hear so is told (RFC 9110 §10.1.1). */
  welcomeBody(outgoing: ServerResponse): void {
    if (!this.expectsContinue) return
    this.expectsContinue = false
    outgoing.writeContinue()
  }

  /** Whether the client reached us over TLS. */
  get secure(): boolean {
    return 'encrypted' in this.socket
  }

  #badHost(): string | undefined {
    const { host } = this.headers
    if (host === undefined) {
      return this.httpVersion === '1.1' ? 'it came without a Host header' : undefined
    }
    if (!PLAIN_HOST.test(host) && !(HOST.test(host) && URL.canParse(`http://${host}`))) {
      return 'its Host header is malformed'
    }
    let hosts = 0
    const raw = this.rawHeaders
    for (let i = 0; i < raw.length; i += 2) {
      const name = raw[i] as string
      if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1
    }
    return hosts > 1 ? 'it came with more than one Host header' : undefined
  }
}
