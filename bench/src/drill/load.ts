import { Pool } from 'undici'

/** What became of the requests of one phase. */
export interface Tally {
  sent: number
  failed: number
  /** Statuses and error codes of those that failed. */
  readonly failures: Map<string, number>
  /** When each was sent, in milliseconds since the phase began, and how long it took. */
  readonly readings: { readonly at: number; readonly ms: number }[]
}

const BODY = JSON.stringify({ model: 'drill', messages: [{ role: 'user', content: 'Hello' }] })

/** Sends requests at a fixed rate, whatever becomes of the earlier ones, and waits for all of them. */
export async function sendAtRate(port: number, perSecond: number, ms: number): Promise<Tally> {
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: 512, allowH2: false })
  const tally: Tally = { sent: 0, failed: 0, failures: new Map(), readings: [] }
  const start = performance.now()
  const pending: Promise<void>[] = []
  while (performance.now() - start < ms) {
    const due = ((performance.now() - start) / 1000) * perSecond
    while (tally.sent < due) {
      tally.sent += 1
      pending.push(one(pool, tally, start))
    }
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  await Promise.all(pending)
  await pool.close()
  return tally
}

async function one(pool: Pool, tally: Tally, start: number): Promise<void> {
  const at = performance.now()
  try {
    const { statusCode, body } = await pool.request({
      ...{ method: 'POST', path: '/v1/chat/completions', body: BODY },
      headers: { 'content-type': 'application/json' },
    })
    const text = await body.text()
    if (statusCode !== 200 || !text.includes('chatcmpl-drill')) count(tally, String(statusCode))
  } catch (error) {
    count(tally, String((error as { code?: string }).code ?? error))
  }
  tally.readings.push({ at: at - start, ms: performance.now() - at })
}

function count(tally: Tally, what: string): void {
  tally.failed += 1
  tally.failures.set(what, (tally.failures.get(what) ?? 0) + 1)
}
