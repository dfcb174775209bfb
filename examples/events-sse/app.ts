import type { EventLog, LogEntry } from '@tidegate/events'
import { eventStream } from '@tidegate/events/hono'
import { Hono } from 'hono'
import { z } from 'zod'
import { page } from './page.ts'

const Seen = z.strictObject({ parcel: z.string().max(50), place: z.string().max(100) })

export interface AppParts {
  readonly log: EventLog
  /** Aborted when the server begins to stop: readers go to another one, or wait for the next. */
  readonly stopping: AbortSignal
  /** How often quiet connections hear something. */
  readonly heartbeatMs?: number
}

const seenIn = ({ data }: LogEntry) => Seen.parse(JSON.parse(Buffer.from(data).toString()))

/** Says where parcels are, as it becomes known. */
export function createApp({ log, stopping, heartbeatMs }: AppParts): Hono {
  const app = new Hono()

  app.get('/', (c) => c.html(page))

  app.post('/seen', async (c) => {
    const seen = Seen.safeParse(await c.req.json().catch(() => undefined))
    if (!seen.success)
      return c.json({ error: 'Say which parcel was seen, and at which place.' }, 400)
    return c.json({ id: await log.append(JSON.stringify(seen.data)) }, 202)
  })

  // Of one parcel, or of all: who comes back is told what was missed meanwhile.
  app.get('/live', (c) => {
    const wanted = c.req.query('parcel')
    return eventStream(c, log, {
      toEvent(entry) {
        const { parcel, place } = seenIn(entry)
        if (wanted !== undefined && parcel !== wanted) return undefined
        return { event: 'seen', data: JSON.stringify({ parcel, place }) }
      },
      signal: stopping,
      ...(heartbeatMs !== undefined && { heartbeatMs }),
      onError: (error) => console.warn('a stream of events:', error),
    })
  })

  app.get('/recent', async (c) => {
    const window = { lastMs: 300_000 }
    const { entries, gap } = await log.read({ ...window, limit: 100 })
    return c.json({ count: await log.count(window), complete: !gap, seen: entries.map(seenIn) })
  })

  app.onError((error, c) => {
    console.error(error)
    return c.json({ error: 'The log of parcels is away. Try again in a moment.' }, 503)
  })
  return app
}
