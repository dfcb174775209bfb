import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { type EventStreamOptions, openEventStream } from './event-stream.ts'
import type { EventLog } from './log.ts'
import { memoryLog } from './memory-log.ts'
import { SseReader } from './sse-reader.fixture.ts'
import { watched } from './watched-log.fixture.ts'

function follow(log: EventLog, options: EventStreamOptions = {}, lastEventId?: string) {
  return new SseReader(openEventStream(log, lastEventId, options))
}

async function filled(count: number, maxEntries?: number) {
  const log = watched(memoryLog({ maxEntries }))
  const ids: string[] = []
  for (let at = 0; at < count; at += 1) ids.push(await log.append(`${at}`))
  return { log, ids }
}

describe('openEventStream', () => {
  it('tells what comes, from the end, the start or an id on', async () => {
    const { log, ids } = await filled(3)
    const [end, start, some] = [
      follow(log),
      follow(log, { after: 'start' }),
      follow(log, { after: ids[0] }),
    ]
    await log.append('new')
    expect(await end.take(1)).toEqual(['new'])
    expect(await start.take(4)).toEqual(['0', '1', '2', 'new'])
    expect(await some.take(3)).toEqual(['1', '2', 'new'])
  })

  it('begins after the last id that the reader had, whatever it would else begin with', async () => {
    const { log, ids } = await filled(3)
    for (const after of ['start', 'end', '0-0']) {
      expect(await follow(log, { after }, ids[1]).take(1)).toEqual(['2'])
    }
    expect(await follow(log, { after: 'start' }, '').take(1)).toEqual(['0'])
  })

  it('tells the end to who waits there, so that nothing is lost when it is cut off', async () => {
    const { log, ids } = await filled(2)
    const reader = follow(log)
    await reader.until(`id: ${ids[1]}\n\n`)
    await reader.leave()
    await log.append('meanwhile')
    expect(await follow(log, {}, ids[1]).take(1)).toEqual(['meanwhile'])

    const empty = memoryLog()
    const first = follow(empty)
    await first.until('id: 0-0\n\n')
    await empty.append('first')
    expect(await follow(empty, {}, '0-0').take(1)).toEqual(['first'])
  })

  it('tells of a gap before what is there', async () => {
    const { log, ids } = await filled(9, 3)
    expect(await follow(log, {}, ids[1]).take(2)).toEqual([`gap {"after":"${ids[1]}"}`, '6'])
    expect(await follow(log, {}, ids[5]).take(1)).toEqual(['6'])
  })

  it('takes an id that is none for a gap, and goes on as for who comes new', async () => {
    const { log } = await filled(2)
    for (const id of ['nothing', '../..', '9'.repeat(5_000), '5-5\n', '<b>']) {
      const reader = follow(log, { after: 'start' }, id)
      expect(await reader.take(2)).toEqual(['gap {"after":null}', '0'])
      expect(reader.text).not.toContain(id)
    }
  })

  it('tells what toEvent makes of an entry, with its id', async () => {
    const { log, ids } = await filled(4)
    const toEvent: EventStreamOptions['toEvent'] = ({ data }) => {
      const text = Buffer.from(data).toString()
      return text === '1' ? undefined : { event: 'number', data: `${text}\n!` }
    }
    const reader = follow(log, { after: 'start', toEvent })
    expect([await reader.next(), await reader.next()]).toEqual([
      { id: ids[0], event: 'number', data: '0\n!' },
      { id: ids[2], event: 'number', data: '2\n!' },
    ])
  })

  it('leaves out an entry of which toEvent throws, and tells nobody but onError', async () => {
    const { log } = await filled(3)
    const errors: unknown[] = []
    const toEvent: EventStreamOptions['toEvent'] = ({ data }) => {
      const text = Buffer.from(data).toString()
      if (text === '0') throw new Error('secret')
      return { event: text === '1' ? 'a\nb' : 'c', data: text }
    }
    const reader = follow(log, { after: 'start', toEvent, onError: (error) => errors.push(error) })
    expect(await reader.take(1)).toEqual(['2'])
    expect(reader.text).not.toMatch(/secret|data: [01]/)
    expect(errors).toHaveLength(2)
  })

  it('ends with its signal, and tells when to come back', async () => {
    const { log } = await filled(1)
    const over = new AbortController()
    const reader = follow(log, { after: 'start', signal: over.signal, retryMs: 100 })
    expect(await reader.take(1)).toEqual(['0'])
    const end = reader.next()
    over.abort()
    expect(await end).toBeUndefined()
    const [begin = 0, back = 0] = reader.retries
    expect(begin).toBe(100)
    expect(back).toBeGreaterThanOrEqual(100)
    expect(back).toBeLessThanOrEqual(200)
    await vi.waitFor(() => expect(log.followers).toBe(0))

    const late = follow(log, { after: 'start', signal: over.signal })
    expect(await late.next()).toBeUndefined()
    expect(late.retries).not.toEqual([])
    expect(log.followers).toBe(0)
  })

  it('ends when the log is closed', async () => {
    const { log } = await filled(1)
    const reader = follow(log, { after: 'start' })
    expect(await reader.take(1)).toEqual(['0'])
    const end = reader.next()
    await log.close()
    expect(await end).toBeUndefined()
  })

  it('ends well when the log fails, and tells nobody but onError', async () => {
    const { log } = await filled(1)
    const errors: unknown[] = []
    const fail = () => Promise.reject(new Error('redis://user:secret@host'))
    const broken: EventLog = {
      ...log,
      last: fail,
      tail: () => ({ [Symbol.asyncIterator]: () => ({ next: fail }) }),
    }
    const reader = follow(broken, { onError: (error) => errors.push(error) })
    expect(await reader.next()).toBeUndefined()
    expect(reader.text).not.toContain('secret')
    expect(errors).toHaveLength(2)
  })

  it('lets go of the log when the reader leaves, at any point', async () => {
    const { log } = await filled(3)
    for (const reads of [0, 1, 2, 3]) {
      const reader = follow(log, { after: 'start' })
      for (let at = 0; at < reads; at += 1) void reader.readSome().catch(() => undefined)
      await Promise.resolve()
      await reader.leave()
      await vi.waitFor(() => expect(log.followers).toBe(0))
    }
  })

  it('refuses what it cannot be made of', async () => {
    const log = memoryLog()
    for (const options of [{ heartbeatMs: 0 }, { heartbeatMs: 2 ** 31 }, { retryMs: -1 }]) {
      expect(() => openEventStream(log, undefined, options)).toThrow(
        expect.objectContaining({ code: 'invalid_option' }),
      )
    }
    expect(() => openEventStream(log, undefined, { after: 'now' })).toThrow(
      expect.objectContaining({ code: 'invalid_id' }),
    )
  })
})

describe('a stream of events', () => {
  function withTimers() {
    vi.useFakeTimers()
    onTestFinished(() => {
      vi.useRealTimers()
    })
  }

  it('has a comment when nothing came for a heartbeat, and only then', async () => {
    withTimers()
    const log = memoryLog()
    const reader = follow(log, { heartbeatMs: 1_000, after: 'start' })
    await reader.readSome()
    const comment = reader.until(':\n\n')
    await vi.advanceTimersByTimeAsync(999)
    await log.append('a')
    await vi.advanceTimersByTimeAsync(999)
    expect(reader.text).not.toContain(':\n\n')
    await vi.advanceTimersByTimeAsync(1)
    await comment
    expect(await reader.take(1)).toEqual(['a'])
  })

  it('tells with the heartbeat how far the reader is, when it was told nothing of that', async () => {
    withTimers()
    const { log, ids } = await filled(3)
    const reader = follow(log, { heartbeatMs: 1_000, after: 'start', toEvent: () => undefined })
    const told = reader.until(`:\nid: ${ids[2]}\n\n`)
    await vi.advanceTimersByTimeAsync(1_000)
    await told
    const again = reader.until(`id: ${ids[2]}\n\n:\n\n`)
    await vi.advanceTimersByTimeAsync(1_000)
    await again
    await reader.leave()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('queues one piece for who reads nothing, and lets go of it after four heartbeats', async () => {
    withTimers()
    const log = watched(memoryLog())
    const reader = follow(log, { heartbeatMs: 1_000, after: 'start' })
    for (let at = 0; at < 1_000; at += 1) await log.append('x'.repeat(1_000))
    await reader.readSome()
    await vi.advanceTimersByTimeAsync(3_999)
    expect(log.followers).toBe(1)
    await reader.readSome()
    expect(reader.text.length).toBeLessThan(70_000)
    await vi.advanceTimersByTimeAsync(3_999)
    expect(log.followers).toBe(1)
    await vi.advanceTimersByTimeAsync(1)
    await expect(reader.readSome()).rejects.toMatchObject({ code: 'lagging' })
    expect(log.followers).toBe(0)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('is told of what it missed while it read nothing', async () => {
    const { log } = await filled(1, 3)
    const reader = follow(log, { after: 'start' })
    expect(await reader.take(1)).toEqual(['0'])
    // What is asked for ahead is at most one piece.
    await vi.waitFor(() => expect(log.followers).toBe(1))
    for (let at = 1; at < 50; at += 1) await log.append(`${at}`)
    await reader.until('data: 49\n')
    expect(reader.text).toMatch(/event: gap\ndata: {"after":"[0-9-]+"}\n\nid: \S+\ndata: 47\n/)
    expect(reader.text.length).toBeLessThan(500)
  })
})
