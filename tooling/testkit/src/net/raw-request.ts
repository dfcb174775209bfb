import { setTimeout as sleep } from 'node:timers/promises'
import { defaultTimeoutMs, withTimeout } from '../process/waiting.ts'
import { type HttpResponseMessage, parseResponses } from './http-message.ts'
import { type ConnectOptions, connectRaw, type RawConnection } from './raw-connection.ts'

/** Bytes to send, or what to wait for before the next ones. */
export type RawStep =
  | string
  | Uint8Array
  | { readonly waitMs: number }
  | { readonly waitFor: Promise<unknown> }
  | { readonly untilReceived: string }

export interface RawRequestOptions extends ConnectOptions {
  /**
   * Sent exactly as given, one write per element; strings as UTF-8. When the first request is HEAD,
   * all responses are read as responses to HEAD.
   */
  readonly send: RawStep | readonly RawStep[]
  /** Ends the writing side (FIN) after the last byte. Default false. */
  readonly halfClose?: boolean
  /** How many final responses to wait for. Default 1. */
  readonly responses?: number
  /** When to give up waiting, from the first byte sent. Default 5000. */
  readonly timeoutMs?: number
}

export interface RawExchange {
  /** All that came back. */
  readonly bytes: Buffer
  readonly text: string
  /** The final responses among it, in order; the last one may be incomplete. */
  readonly responses: readonly HttpResponseMessage[]
  /** The first response. Reading it throws when there is none. */
  readonly response: HttpResponseMessage
  /**
   * Why the exchange was over: as many responses as expected, the server closed, the server reset
   * the connection, or the time was up.
   */
  readonly ended: 'answered' | 'closed' | 'reset' | 'timed-out'
}

function isHead(steps: readonly RawStep[]): boolean {
  const first = steps.find((step) => typeof step === 'string' || step instanceof Uint8Array)
  return first !== undefined && Buffer.from(first).toString('latin1', 0, 5) === 'HEAD '
}

async function perform(connection: RawConnection, step: RawStep, timeoutMs: number): Promise<void> {
  if (typeof step === 'string' || step instanceof Uint8Array) await connection.write(step)
  else if ('waitMs' in step) await sleep(step.waitMs)
  else if ('waitFor' in step) await step.waitFor
  else await connection.waitFor(step.untilReceived, timeoutMs)
}

/**
 * Sends exactly the given bytes over a new TCP connection and reads what comes back, until all is
 * sent and the expected number of responses is complete, the server ends, or the time is up. The
 * connection is closed then.
 */
export async function rawRequest(options: RawRequestOptions): Promise<RawExchange> {
  const steps = Array.isArray(options.send)
    ? (options.send as RawStep[])
    : [options.send as RawStep]
  const { responses: expected = 1, timeoutMs = defaultTimeoutMs } = options
  await using connection = await connectRaw(options)
  const read = () =>
    parseResponses(connection.received, {
      closed: connection.ending === 'closed',
      head: isHead(steps),
    })
  const answered = () => read().filter((response) => response.complete).length >= expected
  const send = async () => {
    for (const step of steps) {
      if (connection.ending !== null) return
      await perform(connection, step, timeoutMs)
    }
    if (options.halfClose === true) connection.halfClose()
  }
  // A server may answer, or leave, before the last byte was sent: what was not sent then never is.
  const sent = Promise.race([send().catch(() => undefined), connection.ended])
  const outcome = await Promise.all([
    connection.waitFor(answered, timeoutMs),
    withTimeout(sent, timeoutMs, () => 'not all was sent'),
  ]).then(
    () => 'answered' as const,
    () => connection.ending ?? ('timed-out' as const),
  )
  return exchangeOf(connection.received, read(), outcome)
}

function exchangeOf(
  bytes: Buffer,
  responses: readonly HttpResponseMessage[],
  ended: RawExchange['ended'],
): RawExchange {
  return {
    bytes,
    text: bytes.toString('utf8'),
    responses,
    ended,
    get response() {
      const [first] = responses
      if (first === undefined) throw new Error(`no response came (${ended}): ${bytes.toString()}`)
      return first
    },
  }
}
