import { monotonicMicros, sleep } from '../harness/clock.ts'
import { Connection, statusOf } from '../harness/connection.ts'
import { chatRequest, type Pace, type Target } from '../harness/requests.ts'
import { settle } from './plain.ts'

/** A gap between two events that is this much longer at the client than at the mock is a stall. */
export const STALL_MS = 100

/** What a set of paced streams gave. Failed streams count in `failed` alone. */
export interface StreamsResult {
  completed: number
  failed: number
  stalls: number
  /** From the request's sending to the first event, per stream. */
  readonly firstMs: number[]
  /** From an event's sending by the mock to its arrival, per event. */
  readonly delaysMs: number[]
}

/** `slots` streams at a time, their starts spread over `rampMs`. */
export interface StreamsRun {
  readonly slots: number
  readonly rampMs: number
  readonly pace: Pace
  /** Each slot opens stream after stream for so long; without it, one stream each. */
  readonly ms?: number
}

export async function playStreams(target: Target, run: StreamsRun): Promise<StreamsResult> {
  const result: StreamsResult = { completed: 0, failed: 0, stalls: 0, firstMs: [], delaysMs: [] }
  const request = chatRequest(target, run.pace)
  const deadline = performance.now() + run.rampMs + (run.ms ?? 0)
  const connections = Array.from({ length: run.slots }, () => new Connection(target.port))
  const slot = async (connection: Connection, index: number) => {
    await sleep((index * run.rampMs) / run.slots)
    do await playOne(connection, request, run.pace, result)
    while (run.ms && performance.now() < deadline && result.failed < 100)
  }
  const streamMs = run.pace.events * run.pace.intervalMs
  const limitMs = run.rampMs + (run.ms ?? 0) + streamMs + 15_000
  const inTime = await settle(connections.map(slot), limitMs)
  if (!inTime) result.failed += 1
  for (const connection of connections) connection.close()
  return result
}

function playOne(
  connection: Connection,
  request: Buffer,
  pace: Pace,
  result: StreamsResult,
): Promise<void> {
  return new Promise((resolve) => {
    const stamps = new StampReader()
    const sentAt = monotonicMicros()
    let status = 0
    let seen = 0
    let lastDelay = 0
    let done = false
    const onStamp = (stamp: number) => {
      const now = monotonicMicros()
      const delay = (now - stamp) / 1000
      if (seen === 0) result.firstMs.push((now - sentAt) / 1000)
      // The client's gap less the mock's own is the change in delay.
      else if (delay - lastDelay > STALL_MS) result.stalls += 1
      result.delaysMs.push(delay)
      lastDelay = delay
      seen += 1
    }
    connection.send(request, {
      head: (text) => {
        status = statusOf(text)
      },
      body: (buffer, start, end) => {
        const text = buffer.toString('latin1', start, end)
        done ||= text.includes('[DONE]')
        stamps.read(text, onStamp)
      },
      end: () => {
        if (status === 200 && seen === pace.events && done) result.completed += 1
        else result.failed += 1
        resolve()
      },
      failed: () => {
        result.failed += 1
        resolve()
      },
    })
  })
}

/** Finds the mock's `@micros@` stamps in a text that arrives in pieces. */
class StampReader {
  #rest = ''

  read(text: string, found: (stamp: number) => void): void {
    this.#rest += text
    for (;;) {
      const open = this.#rest.indexOf('@')
      if (open < 0) {
        this.#rest = ''
        return
      }
      const close = this.#rest.indexOf('@', open + 1)
      if (close < 0) {
        this.#rest = this.#rest.slice(open)
        return
      }
      found(Number(this.#rest.slice(open + 1, close)))
      this.#rest = this.#rest.slice(close + 1)
    }
  }
}
