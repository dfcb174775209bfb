import { Connection, statusOf } from '../harness/connection.ts'

/** What a run of plain requests gave. */
export interface PlainResult {
  readonly completed: number
  readonly failed: number
  readonly elapsedMs: number
  /** Of every completed request, in the order they ended. */
  readonly latenciesMs: number[]
}

/** When a run ends: by time, and where given by the number of requests as well. */
export interface PlainRun {
  readonly connections: number
  readonly ms: number
  readonly requests?: number
}

/** Keeps each connection busy with one request after another. Requests in flight at the end finish. */
export async function sendPlain(
  port: number,
  request: Buffer,
  run: PlainRun,
): Promise<PlainResult> {
  const latenciesMs: number[] = []
  let failed = 0
  let started = 0
  const start = performance.now()
  const deadline = start + run.ms
  const mayStart = () =>
    performance.now() < deadline && started < (run.requests ?? Infinity) && failed < 100

  const drive = (connection: Connection) =>
    new Promise<void>((resolve) => {
      let sentAt = 0
      let status = 0
      const next = () => {
        if (!mayStart()) return resolve()
        started += 1
        sentAt = performance.now()
        connection.send(request, events)
      }
      const events = {
        head: (text: string) => {
          status = statusOf(text)
        },
        body: () => undefined,
        end: () => {
          if (status === 200) latenciesMs.push(performance.now() - sentAt)
          else failed += 1
          next()
        },
        failed: () => {
          failed += 1
          next()
        },
      }
      next()
    })

  const connections = Array.from({ length: run.connections }, () => new Connection(port))
  const inTime = await settle(connections.map(drive), run.ms + 10_000)
  if (!inTime) failed += 1
  for (const connection of connections) connection.close()
  const elapsedMs = performance.now() - start
  return { completed: latenciesMs.length, failed, elapsedMs, latenciesMs }
}

/** Waits for all of `work`, but no longer than `limitMs`. */
export async function settle(work: Promise<unknown>[], limitMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), limitMs)
  })
  const inTime = await Promise.race([Promise.all(work).then(() => true), limit])
  clearTimeout(timer)
  return inTime
}
