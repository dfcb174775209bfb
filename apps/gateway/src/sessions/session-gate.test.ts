import { createSessions, memorySessionStore } from '@tidegate/rate-limit/sessions'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { SessionGate } from './session-gate.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function gateOver(fails: () => boolean | 'hangs') {
  const memory = memorySessionStore()
  const changes: unknown[] = []
  let asked = 0
  const touch: typeof memory.touch = memory.touch.bind(memory)
  const sessions = createSessions({
    store: {
      touch(...args) {
        asked += 1
        const how = fails()
        if (how === 'hangs') return new Promise(() => {})
        return how ? Promise.reject(new Error('lost')) : touch(...args)
      },
      list: () => [],
      end: () => [],
    },
  })
  const gate = new SessionGate({ sessions, onChange: (change) => changes.push(change) })
  return { changes, asked: () => asked, ask: () => gate.touch('key:ada', 'id', undefined) }
}

describe('SessionGate', () => {
  it('says what the store says', async () => {
    const { ask, changes } = gateOver(() => false)
    expect(await ask()).toMatchObject({ allowed: true, opened: true })
    expect(changes).toEqual([])
  })

  it('lets requests pass while the store fails, and asks it now and then', async () => {
    const { ask, asked, changes } = gateOver(() => true)
    for (let at = 0; at < 5; at += 1) expect(await ask()).toBeUndefined()
    expect(asked()).toBe(1)
    expect(changes).toEqual([{ available: false, error: new Error('lost') }])
    vi.advanceTimersByTime(1_000)
    await Promise.all([ask(), ask(), ask()])
    expect(asked()).toBe(2)
    await vi.advanceTimersByTimeAsync(0)
    vi.advanceTimersByTime(1_999)
    await ask()
    expect(asked()).toBe(2)
    vi.advanceTimersByTime(1)
    await ask()
    expect(asked()).toBe(3)
    expect(changes).toHaveLength(1)
  })

  it('leaves it alone for ten seconds at most', async () => {
    const { ask, asked } = gateOver(() => true)
    for (let at = 0; at < 8; at += 1) {
      await ask()
      await vi.advanceTimersByTimeAsync(10_000)
    }
    expect(asked()).toBe(8)
  })

  it('waits half a second for one that hangs, all who ask at a time the same', async () => {
    const { ask, asked } = gateOver(() => 'hangs')
    const all = Promise.all([ask(), ask(), ask()])
    await vi.advanceTimersByTimeAsync(500)
    expect(await all).toEqual([undefined, undefined, undefined])
    expect(await ask()).toBeUndefined()
    expect(asked()).toBe(3)
  })

  it('holds nobody up to find out whether one that hung answers again', async () => {
    const { ask, asked, changes } = gateOver(() => 'hangs')
    const first = ask()
    await vi.advanceTimersByTimeAsync(500)
    await first
    await vi.advanceTimersByTimeAsync(1_000)
    // These would never settle if they waited, as time stands still.
    expect(await Promise.all([ask(), ask()])).toEqual([undefined, undefined])
    expect(asked()).toBe(2)
    await vi.advanceTimersByTimeAsync(500 + 2_000)
    expect(await ask()).toBeUndefined()
    expect(asked()).toBe(3)
    expect(changes).toHaveLength(1)
  })

  it('goes on as before when it answers again', async () => {
    let failing = true
    const { ask, changes } = gateOver(() => failing)
    await ask()
    failing = false
    expect(await ask()).toBeUndefined()
    vi.advanceTimersByTime(1_000)
    expect(await ask()).toBeUndefined()
    await vi.advanceTimersByTimeAsync(0)
    expect(await ask()).toMatchObject({ opened: false })
    expect(changes).toEqual([{ available: false, error: new Error('lost') }, { available: true }])
  })
})
