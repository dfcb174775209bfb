import type { EventLog } from '@tidegate/events'
import { createHistory, type History } from '@tidegate/telemetry/history'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { feedEvent, SampleFeed } from './sample-feed.ts'

const START = Date.parse('2030-01-01T12:00:00Z')

let clock: number
let history: History
let feed: SampleFeed
let errors: unknown[]

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  clock = START
  errors = []
  history = createHistory({ now: () => clock })
  feed = new SampleFeed(
    history,
    () => clock,
    (error) => errors.push(error),
  )
})

afterEach(async () => {
  vi.useRealTimers()
  await feed.close()
})

/** A second in which metrics have values. */
function second(values: Readonly<Record<string, number>>): void {
  history.sample(values)
  clock += 1_000
}

async function told(log: EventLog, after?: string) {
  const { entries, gap } = await log.read({ after })
  const events = entries.map(({ id, data }) => {
    const { event, data: json } = feedEvent(data)
    return { id, event, ...JSON.parse(json) }
  })
  return { events, gap }
}

describe('a feed of samples', () => {
  it('tells the points of each second once, with ids that are their instants', async () => {
    second({ a: 1, b: 2 })
    const { log } = await feed.watch(undefined)
    second({ a: 3 })
    second({})
    second({ b: 4 })
    await feed.advance()
    await feed.advance()
    expect((await told(log)).events).toEqual([
      { id: `${START}-0`, event: 'sample', t: START, values: { a: 1, b: 2 } },
      { id: `${START + 1_000}-0`, event: 'sample', t: START + 1_000, values: { a: 3 } },
      { id: `${START + 3_000}-0`, event: 'sample', t: START + 3_000, values: { b: 4 } },
    ])
  })

  it('goes on by itself while somebody watches, and for a minute after that', async () => {
    const query = vi.spyOn(history, 'query')
    const { release } = await feed.watch(['a'])
    const ticks = async (seconds: number): Promise<number> => {
      const before = query.mock.calls.length
      for (let at = 0; at < seconds; at += 1) {
        second({ a: at })
        await vi.advanceTimersByTimeAsync(1_000)
      }
      return query.mock.calls.length - before
    }
    expect(await ticks(100)).toBe(100)
    release()
    expect(await ticks(100)).toBe(60)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('asks for no more than what is wanted', async () => {
    second({ a: 1, b: 2, c: 3 })
    const query = vi.spyOn(history, 'query')
    await feed.watch(['a'])
    await feed.watch(['b', 'a'])
    expect(query.mock.lastCall?.[0].metrics).toEqual(['a', 'b'])
  })

  it('asks for nothing that isn’t there, whatever readers name, until it is', async () => {
    const query = vi.spyOn(history, 'query')
    const { log } = await feed.watch(['later'])
    for (let at = 0; at < 50; at += 1) {
      const made = Array.from({ length: 200 }, (_, name) => `made.up.${at}.${name}`)
      const { release } = await feed.watch(made)
      release()
    }
    expect(query).not.toHaveBeenCalled()
    for (const ms of [100_000, 100_000]) {
      clock += ms
      await feed.advance()
    }
    second({ later: 1 })
    await feed.advance()
    expect(query.mock.lastCall?.[0].metrics).toEqual(['later'])
    expect((await told(log)).events).toMatchObject([{ values: { later: 1 } }])
  })

  it('asks for many metrics in parts', async () => {
    const names = Array.from({ length: 450 }, (_, at) => `m${at}`)
    second(Object.fromEntries(names.map((name, at) => [name, at])))
    const { log } = await feed.watch(undefined)
    const [sample] = (await told(log)).events
    expect(Object.keys(sample.values)).toHaveLength(450)
  })

  it('lets a reader of another gateway go on without a gap', async () => {
    const other = new SampleFeed(
      history,
      () => clock,
      (error) => errors.push(error),
    )
    for (let at = 0; at < 10; at += 1) second({ a: at })
    const first = await told((await other.watch(['a'])).log)
    await other.close()
    second({ a: 10 })
    const { log } = await feed.watch(['a'])
    const { events, gap } = await told(log, first.events.at(-1)?.id)
    expect(gap).toBe(false)
    expect(events.map(({ values }) => values.a)).toEqual([10])
  })

  it('tells who was away for too long that there is a gap', async () => {
    second({ a: 1 })
    const { log, release } = await feed.watch(['a'])
    release()
    const last = (await log.last()) ?? ''
    for (let at = 0; at < 200; at += 1) second({ a: at })
    const later = await feed.watch(['a'])
    const { events, gap } = await told(later.log, last)
    expect(gap).toBe(true)
    expect(events).toHaveLength(119)
  })

  it('goes on when the clock was set back', async () => {
    second({ a: 1 })
    const { log } = await feed.watch(['a'])
    clock -= 3_600_000
    second({ a: 2 })
    await feed.advance()
    await expect(log.read()).rejects.toThrow(/closed/)
    const again = await feed.watch(['a'])
    expect((await told(again.log)).events).toMatchObject([{ t: START + 1_000 - 3_600_000 }])
  })

  it('tells of other things in between', async () => {
    second({ a: 1 })
    const { log } = await feed.watch(['a'])
    feed.tell('anomaly', { metric: 'a' })
    second({ a: 2 })
    await feed.advance()
    const { events } = await told(log)
    expect(events.map(({ event }) => event)).toEqual(['sample', 'anomaly', 'sample'])
    expect(events[1]).toEqual({ id: `${START}-1`, event: 'anomaly', metric: 'a' })
  })

  it('stays open while nothing is measured', async () => {
    const { log } = await feed.watch(['a'])
    clock += 100_000
    await feed.advance()
    clock += 100_000
    await feed.advance()
    second({ a: 1 })
    await feed.advance()
    expect((await told(log)).events).toMatchObject([{ values: { a: 1 } }])
  })

  it('survives a history that fails, and makes up for it', async () => {
    const { log } = await feed.watch(['a'])
    second({ a: 1 })
    vi.spyOn(history, 'query').mockRejectedValueOnce(new Error('away'))
    await feed.advance()
    expect(errors).toHaveLength(1)
    await feed.advance()
    expect((await told(log)).events).toHaveLength(1)
  })
})
