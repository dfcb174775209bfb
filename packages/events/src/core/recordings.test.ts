import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { recordingsConformance } from '../testing/recordings-conformance.ts'
import { bytesOf, Listener } from './listener.fixture.ts'
import type { ClaimOptions, Recorder, Recording } from './recording.ts'
import { createRecordings, type RecordingsOptions } from './recordings.ts'

const KIB = 1024

function setUp(options: RecordingsOptions = {}) {
  let clock = 1_000_000
  const recordings = createRecordings<unknown>({ now: () => clock, ...options })
  const claim = (name: string, how?: ClaimOptions) => {
    const claimed = recordings.claim(name, how)
    if (claimed instanceof Promise) throw new TypeError('It did not answer at once.')
    return claimed
  }
  const begin = (name: string, how?: ClaimOptions): Heard => {
    const claimed = claim(name, how)
    if (claimed.role !== 'recorder') throw new TypeError(`The role is ${claimed.role}.`)
    return hear(claimed.recorder)
  }
  const join = (name: string, how?: ClaimOptions): Recording<unknown> => {
    const claimed = claim(name, how)
    if (claimed.role !== 'reader') throw new TypeError(`The role is ${claimed.role}.`)
    return claimed.recording
  }
  const advance = (ms: number) => {
    clock += ms
  }
  return { recordings, claim, begin, join, advance }
}

interface Heard {
  readonly recorder: Recorder<unknown>
  readonly recording: Recording<unknown>
  readonly drained: ReturnType<typeof vi.fn>
  readonly abandoned: ReturnType<typeof vi.fn>
}

function hear(recorder: Recorder<unknown>): Heard {
  const [drained, abandoned] = [vi.fn(), vi.fn()]
  recorder.listen({ onDrain: drained, onAbandoned: abandoned })
  return { recorder, recording: recorder.recording, drained, abandoned }
}

describe('createRecordings conforms in one process', () => {
  for (const { name, run } of recordingsConformance) {
    const recordings = createRecordings<unknown>({ maxBytes: 10_000 })
    it(name, () => run({ open: () => recordings }))
  }
})

describe('createRecordings', () => {
  it('gives each reader everything from the beginning, live', async () => {
    const { begin, join } = setUp()
    const { recorder, recording } = begin('a')
    const first = new Listener().follow(recording)
    recorder.head({ status: 200 })
    recorder.push(bytesOf('one '))
    const second = new Listener().follow(join('a'))
    await turn()
    expect([first.head, second.head]).toEqual([{ status: 200 }, { status: 200 }])
    expect([first.text, second.text]).toEqual(['one ', 'one '])
    recorder.push(bytesOf('two'))
    expect([first.text, second.text]).toEqual(['one two', 'one two'])
    recorder.end()
    expect([first.ended, second.ended]).toEqual([true, true])
    expect(Buffer.from(recording.whole() ?? []).toString()).toBe('one two')
  })

  it('passes chunks on without copying them', async () => {
    const { recorder, recording } = setUp().begin('a')
    const readers = [new Listener().follow(recording), new Listener().follow(recording)]
    const chunk = bytesOf('shared')
    recorder.head({})
    recorder.push(chunk)
    for (const { chunks } of readers) expect(chunks[0]).toBe(chunk)
  })

  it('calls nothing before follow has returned', async () => {
    const { begin } = setUp()
    const { recorder, recording } = begin('a')
    recorder.head({})
    recorder.push(bytesOf('x'))
    const reader = new Listener()
    const place = recording.follow(reader)
    expect(reader.head).toBeUndefined()
    place.leave()
    await turn()
    expect(reader.head).toBeUndefined()
  })

  it('gives a name to the next recording once the last has failed', async () => {
    const { begin } = setUp()
    const { recorder, recording } = begin('a')
    const reader = new Listener().follow(recording)
    recorder.head({})
    recorder.push(bytesOf('x'))
    recorder.fail('broken')
    expect(reader).toMatchObject({ text: 'x', fault: { code: 'failed', cause: 'broken' } })
    expect(recording.state).toBe('failed')
    expect(() => recording.follow(new Listener())).toThrow(
      expect.objectContaining({ code: 'not_joinable' }),
    )
    expect(begin('a').recording).not.toBe(recording)
  })

  it('tells a mismatch of fingerprints', () => {
    const { begin, claim } = setUp()
    begin('a', { fingerprint: 'one' })
    expect(claim('a', { fingerprint: 'two' })).toEqual({ role: 'mismatch' })
    expect(claim('a', {})).toEqual({ role: 'mismatch' })
    expect(claim('a', { fingerprint: 'one' }).role).toBe('reader')
  })
})

describe('a recording that is kept', () => {
  it('can be read for its time, from one chunk', async () => {
    const { begin, join, claim, advance } = setUp()
    const { recorder, recording } = begin('a', { keepMs: 1_000 })
    recorder.head({ status: 201 })
    for (let at = 0; at < 10; at += 1) recorder.push(bytesOf(`${at}`))
    recorder.end()
    advance(999)
    const reader = new Listener().follow(join('a'))
    await turn()
    expect(reader).toMatchObject({ head: { status: 201 }, text: '0123456789', ended: true })
    expect(reader.chunks).toHaveLength(1)
    advance(1)
    expect(claim('a').role).toBe('recorder')
    expect(recording.whole()).toHaveLength(10)
  })

  it('is forgotten by a timer, too', async () => {
    vi.useFakeTimers()
    try {
      const recordings = createRecordings<unknown>()
      for (const keepMs of [5_000, 2_000]) {
        const claimed = await recordings.claim(`${keepMs}`, { keepMs })
        if (claimed.role !== 'recorder') throw new TypeError(claimed.role)
        claimed.recorder.head({})
        claimed.recorder.push(bytesOf('x'))
        claimed.recorder.end()
      }
      expect(recordings.stats()).toMatchObject({ open: 0, kept: 2 })
      vi.advanceTimersByTime(2_000)
      expect(recordings.stats()).toMatchObject({ kept: 1 })
      vi.advanceTimersByTime(3_000)
      expect(recordings.stats()).toEqual({ open: 0, kept: 0, readers: 0, bytes: 0 })
      expect(vi.getTimerCount()).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })

  it('makes way, oldest first, when the memory of all is taken', () => {
    const { begin, claim, recordings } = setUp({ maxTotalBytes: 20 * KIB })
    for (const name of ['a', 'b', 'c']) {
      const { recorder } = begin(name, { keepMs: 60_000 })
      recorder.head({})
      recorder.push(new Uint8Array(8 * KIB))
      recorder.end()
    }
    expect(recordings.stats().bytes).toBeLessThanOrEqual(20 * KIB)
    expect(['b', 'c', 'a'].map((name) => claim(name).role)).toEqual([
      'reader',
      'reader',
      'recorder',
    ])
  })

  it('makes way, oldest first, for names beyond the most', () => {
    const { begin, claim } = setUp({ maxRecordings: 2 })
    for (const name of ['a', 'b', 'c']) {
      const { recorder } = begin(name, { keepMs: 60_000 })
      recorder.head({})
      recorder.end()
    }
    expect(['b', 'c'].map((name) => claim(name).role)).toEqual(['reader', 'reader'])
    expect(claim('a').role).toBe('recorder')
  })

  it('has no name when as many are open as may be', () => {
    const { begin, claim } = setUp({ maxRecordings: 1 })
    begin('a')
    begin('b')
    expect(claim('a').role).toBe('reader')
    expect(claim('b').role).toBe('recorder')
  })
})

describe('the pace of a recording', () => {
  it('is that of the fastest reader', async () => {
    const { recorder, recording, drained } = setUp().begin('a')
    const slow = new Listener(1).follow(recording)
    const fast = new Listener(3).follow(recording)
    recorder.head({})
    expect([1, 2].map((at) => recorder.push(bytesOf(`${at}`)))).toEqual([true, true])
    expect(recorder.push(bytesOf('3'))).toBe(false)
    expect([slow.text, fast.text]).toEqual(['1', '123'])
    slow.take(1)
    expect(drained).not.toHaveBeenCalled()
    slow.take(5)
    expect(slow.text).toBe('123')
    expect(drained).toHaveBeenCalledOnce()
    expect(recorder.push(bytesOf('4'))).toBe(true)
    expect([slow.text, fast.text]).toEqual(['1234', '123'])
    fast.take()
    expect(fast.text).toBe('1234')
    expect(drained).toHaveBeenCalledOnce()
  })

  it('does not depend on readers that have left', () => {
    const { recorder, recording, drained, abandoned } = setUp().begin('a', { persist: true })
    recorder.head({})
    const reader = new Listener(1).follow(recording)
    expect(recorder.push(bytesOf('1'))).toBe(false)
    reader.place?.leave()
    expect(drained).toHaveBeenCalledOnce()
    expect(recorder.push(bytesOf('2'))).toBe(true)
    expect(abandoned).not.toHaveBeenCalled()
  })

  it('lets a reader ask for more from inside its own call', () => {
    const { recorder, recording } = setUp().begin('a')
    recorder.head({})
    const reader = new Listener(1).follow(recording)
    reader.onChunk = () => reader.place?.resume()
    for (const text of ['1', '2', '3']) expect(recorder.push(bytesOf(text))).toBe(true)
    expect(reader.text).toBe('123')
  })

  it('tells the end to a reader that waits with nothing left to take', () => {
    const { recorder, recording } = setUp().begin('a')
    recorder.head({})
    const [waits, behind] = [new Listener(2).follow(recording), new Listener(1).follow(recording)]
    recorder.push(bytesOf('1'))
    recorder.push(bytesOf('2'))
    recorder.end()
    expect([waits.ended, behind.ended]).toEqual([true, false])
    behind.take()
    expect(behind).toMatchObject({ text: '12', ended: true })
  })
})

describe('a recording that is left', () => {
  it('is abandoned by its last reader, once, and begins anew', () => {
    const { begin, claim } = setUp()
    const { recorder, recording, abandoned } = begin('a')
    const readers = [new Listener().follow(recording), new Listener().follow(recording)]
    recorder.head({})
    recorder.push(bytesOf('x'))
    readers[0]?.place?.leave()
    expect(abandoned).not.toHaveBeenCalled()
    readers[1]?.place?.leave()
    readers[1]?.place?.leave()
    expect(abandoned).toHaveBeenCalledOnce()
    expect(recording).toMatchObject({ state: 'failed', joinable: false })
    expect(recorder.push(bytesOf('late'))).toBe(true)
    recorder.end()
    recorder.fail('late')
    expect(recording.state).toBe('failed')
    expect(claim('a').role).toBe('recorder')
  })

  it('tells a recorder that listens late', () => {
    const { begin } = setUp()
    const { recorder, recording } = begin('a')
    new Listener().follow(recording).place?.leave()
    expect(hear(recorder).abandoned).toHaveBeenCalledOnce()
  })

  it('goes on with persist, and is there for the next', async () => {
    const { begin, join } = setUp()
    const { recorder, recording, abandoned } = begin('a', { persist: true })
    new Listener().follow(recording).place?.leave()
    recorder.head({})
    recorder.push(bytesOf('x'))
    const next = new Listener().follow(join('a'))
    recorder.end()
    expect(next).toMatchObject({ text: 'x', ended: true })
    expect(abandoned).not.toHaveBeenCalled()
  })

  it('goes on until its end when nobody ever came', () => {
    const { recorder, recording, abandoned } = setUp().begin('a')
    recorder.head({})
    recorder.push(bytesOf('x'))
    recorder.end()
    expect(recording.state).toBe('complete')
    expect(recording.whole()).toHaveLength(1)
    expect(abandoned).not.toHaveBeenCalled()
  })
})

describe('a recording that grows too large', () => {
  const large = { maxBytes: 10 * KIB }

  it('is passed on live, without those that lag', () => {
    const { begin, claim, recordings } = setUp(large)
    const { recorder, recording } = begin('a')
    const fast = new Listener().follow(recording)
    const slow = new Listener(1).follow(recording)
    recorder.head({})
    for (let at = 0; at < 30; at += 1) recorder.push(new Uint8Array(KIB))
    expect(slow.fault?.code).toBe('lagging')
    expect(slow.chunks).toHaveLength(1)
    expect(recording.joinable).toBe(false)
    expect(recordings.stats()).toMatchObject({ readers: 1, bytes: 0 })
    recorder.end()
    expect(fast).toMatchObject({ ended: true })
    expect(fast.chunks).toHaveLength(30)
    expect(recording.whole()).toBeUndefined()
    expect(claim('a').role).toBe('recorder')
  })

  it('begins anew for who asks for it while it is open', () => {
    const { begin, claim } = setUp(large)
    const { recorder, recording } = begin('a')
    new Listener().follow(recording)
    recorder.head({})
    recorder.push(new Uint8Array(11 * KIB))
    expect(claim('a').role).toBe('recorder')
    recorder.end()
    expect(claim('a').role).toBe('reader')
  })

  it('is not made a second time where that was not wanted', () => {
    const { begin, claim, advance } = setUp(large)
    const { recorder } = begin('a', { persist: true, keepMs: 1_000 })
    recorder.head({})
    recorder.push(new Uint8Array(11 * KIB))
    expect(claim('a')).toEqual({ role: 'too_large' })
    recorder.end()
    expect(claim('a')).toEqual({ role: 'too_large' })
    advance(1_000)
    expect(claim('a').role).toBe('recorder')
  })

  it('is abandoned when nobody had come', () => {
    const { recorder, abandoned } = setUp(large).begin('a')
    recorder.head({})
    recorder.push(new Uint8Array(11 * KIB))
    expect(abandoned).toHaveBeenCalledOnce()
  })

  it('counts many small chunks for what they take', () => {
    const { recorder, recording } = setUp(large).begin('a', { persist: true })
    recorder.head({})
    for (let at = 0; at < 100; at += 1) recorder.push(new Uint8Array(1))
    expect(recording.joinable).toBe(false)
  })

  it('is kept in a small window when the memory of all is taken by open ones', () => {
    const { begin, recordings } = setUp({ maxTotalBytes: KIB })
    const { recorder, recording } = begin('a')
    const slow = new Listener(1).follow(recording)
    const fast = new Listener().follow(recording)
    recorder.head({})
    for (let at = 0; at < 200; at += 1) recorder.push(new Uint8Array(KIB))
    expect(slow.over).toBe(false)
    for (let at = 0; at < 200; at += 1) recorder.push(new Uint8Array(KIB))
    expect(slow.fault?.code).toBe('lagging')
    expect(fast.chunks).toHaveLength(400)
    expect(recordings.stats().bytes).toBe(0)
  })
})

describe('readers that do more than read', () => {
  it('may throw, which harms only themselves', () => {
    const onError = vi.fn(() => {
      throw new Error('and so does who hears of it')
    })
    const { recorder, recording } = setUp({ onError }).begin('a')
    const bad = new Listener().follow(recording)
    const good = new Listener().follow(recording)
    bad.onChunk = () => {
      throw new Error('bad')
    }
    recorder.head({})
    recorder.push(bytesOf('1'))
    recorder.push(bytesOf('2'))
    recorder.end()
    expect(good).toMatchObject({ text: '12', ended: true })
    expect(bad).toMatchObject({ text: '1', over: false })
    expect(onError).toHaveBeenCalledOnce()
  })

  it('may leave, join and record from inside their calls, and all see one order', async () => {
    const { recorder, recording } = setUp().begin('a')
    const [one, two, three] = [new Listener(), new Listener(), new Listener()]
    one.onChunk = () => {
      if (one.chunks.length === 1) three.follow(recording)
      if (one.chunks.length === 2) recorder.push(bytesOf('[from inside]'))
      if (one.chunks.length === 4) one.place?.leave()
    }
    one.follow(recording)
    two.follow(recording)
    recorder.head({})
    for (const text of ['1', '2', '3', '4']) recorder.push(bytesOf(text))
    recorder.end()
    await turn()
    expect([two.text, three.text]).toEqual(['12[from inside]34', '12[from inside]34'])
    expect([two.ended, three.ended]).toEqual([true, true])
    expect(one).toMatchObject({ text: '12[from inside]3', over: false })
  })

  it('may end the recording from inside a call', () => {
    const { recorder, recording } = setUp().begin('a')
    const [one, two] = [new Listener().follow(recording), new Listener().follow(recording)]
    one.onChunk = () => recorder.end()
    recorder.head({})
    recorder.push(bytesOf('1'))
    for (const each of [one, two]) expect(each).toMatchObject({ text: '1', ended: true })
  })
})

describe('closing', () => {
  it('fails what is open, and gives later recorders no name', async () => {
    const { begin, claim, recordings } = setUp()
    const { recording } = begin('a')
    const reader = new Listener().follow(recording)
    await recordings.close()
    expect(reader.fault?.code).toBe('closed')
    expect(claim('b').role).toBe('recorder')
    expect(claim('b').role).toBe('recorder')
  })
})

describe('a recorder', () => {
  it('is told what comes out of order', () => {
    const { recorder } = setUp().begin('a')
    const outOfOrder = expect.objectContaining({ code: 'out_of_order' })
    expect(() => recorder.push(bytesOf('x'))).toThrow(outOfOrder)
    expect(() => recorder.end()).toThrow(outOfOrder)
    recorder.head({})
    expect(() => recorder.head({})).toThrow(outOfOrder)
  })
})
