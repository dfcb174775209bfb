import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { EventLog, LogPage } from '../core/log.ts'

/** What bounds a log that is examined. */
export interface LogBounds {
  readonly maxEntries?: number
  readonly maxAgeMs?: number
}

/** Logs to be examined. */
export interface LogHarness {
  /** A log that is empty and that nobody else has; of these bounds, where they are given, exactly. */
  open(bounds: LogBounds): EventLog | Promise<EventLog>
}

/** One thing that a log has to do. */
export interface LogConformanceCase {
  readonly name: string
  run(harness: LogHarness): Promise<void>
}

/** The body of a case. */
export type LogCaseBody = (log: EventLog, signal: AbortSignal) => Promise<void>

/** A case over one log, which is closed in the end. */
export function logCase(
  name: string,
  body: LogCaseBody,
  bounds: LogBounds = {},
): LogConformanceCase {
  return {
    name,
    async run(harness) {
      const log = await harness.open(bounds)
      const over = new AbortController()
      try {
        await body(log, over.signal)
      } finally {
        over.abort()
        await log.close()
      }
    },
  }
}

export const texts = ({ entries }: LogPage) =>
  entries.map(({ data }) => Buffer.from(data).toString())

export async function fill(log: EventLog, count: number): Promise<readonly string[]> {
  const ids: string[] = []
  for (let at = 0; at < count; at += 1) ids.push(await log.append(`${at}`))
  return ids
}

const LIMIT_MS = 20_000

/** Asks again and again, until it holds. */
export async function until(check: () => Promise<boolean>, what: string): Promise<void> {
  const begun = performance.now()
  while (!(await check())) {
    assert.ok(performance.now() - begun < LIMIT_MS, what)
    await sleep(2)
  }
}
