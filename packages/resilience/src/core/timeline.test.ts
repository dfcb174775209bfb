import { describe, expect, it } from 'vitest'
import { AbortedError } from './errors.ts'
import { reasonOf, rememberTimeline, Timeline, timelineOf } from './timeline.ts'

describe('Timeline', () => {
  it('places an entry at its beginning', () => {
    let now = 1_000
    const timeline = new Timeline(() => now)
    now = 1_250
    timeline.add({ kind: 'wait', ms: 200 })
    timeline.add({ kind: 'hedge' })
    timeline.add({ kind: 'failure', ms: 9_000 })
    timeline.add({ kind: 'failure', at: 3, ms: 9 })
    expect(timeline.entries.map(({ at }) => at)).toEqual([50, 250, 0, 3])
    expect(timeline.last).toMatchObject({ at: 3 })
    expect(timeline.elapsed).toBe(250)
  })

  it('keeps the beginning and the end of a long history', () => {
    const timeline = new Timeline(() => 0)
    for (let attempt = 1; attempt <= 1_000; attempt++) timeline.add({ kind: 'failure', attempt })
    const attempts = timeline.entries.map(({ attempt }) => attempt)
    expect(attempts).toHaveLength(64)
    expect(attempts.slice(0, 32)).toEqual(Array.from({ length: 32 }, (_, index) => index + 1))
    expect(attempts.slice(32)).toEqual(Array.from({ length: 32 }, (_, index) => index + 969))
  })
})

describe('timelineOf', () => {
  it('knows the history of any object that was thrown, as it was then', () => {
    const timeline = new Timeline(() => 0)
    timeline.add({ kind: 'hedge' })
    for (const error of [new Error('any'), new AbortedError('ours'), {}, Object.freeze({})]) {
      rememberTimeline(error, timeline)
      expect(timelineOf(error)).toEqual([{ kind: 'hedge', at: 0 }])
    }
    const ours = new AbortedError('ours')
    rememberTimeline(ours, timeline)
    timeline.add({ kind: 'hedge' })
    expect(ours.timeline).toHaveLength(1)
    expect(timelineOf(ours)).toHaveLength(1)
  })

  it('is empty for what has none', () => {
    for (const thrown of [new Error('any'), null, undefined, 'text', 7]) {
      rememberTimeline(thrown === 'text' ? thrown : undefined, new Timeline(() => 0))
      expect(timelineOf(thrown)).toEqual([])
    }
  })
})

describe('reasonOf', () => {
  it.each([
    [new AbortedError('no'), 'aborted'],
    [Object.assign(new Error('no'), { code: 'ECONNRESET' }), 'ECONNRESET'],
    [Object.assign(new Error('no'), { code: 'http_status', status: 503 }), '503'],
    [new TypeError('secret'), 'TypeError'],
    [new DOMException('secret', 'TimeoutError'), 'TimeoutError'],
    [{ name: 'x'.repeat(100) }, 'x'.repeat(64)],
    [{ code: 17, name: '' }, 'error'],
    ['secret', 'string'],
    [undefined, 'undefined'],
  ])('calls %s %s, never by its message', (error, reason) => {
    expect(reasonOf(error)).toBe(reason)
  })
})
