import { describe, expect, it } from 'vitest'
import { createSessions } from './create-sessions.ts'
import { memorySessionStore } from './memory-session-store.ts'
import { sessionConformance } from './session-conformance.ts'

function harness() {
  let clock = 1_800_000_000_000
  return {
    store: memorySessionStore(),
    now: () => clock,
    advance: (ms: number) => {
      clock += ms
    },
    exact: true,
  }
}

describe('memorySessionStore', () => {
  for (const { name, run } of sessionConformance) it(name, () => run(harness))

  it('forgets what has lapsed while others come', async () => {
    const { store, now, advance } = harness()
    const sessions = createSessions({ store, now, ttlMs: 1_000 })
    for (let user = 0; user < 100; user += 1) await sessions.touch(`old-${user}`, 'id')
    advance(1_000)
    for (let user = 0; user < 50; user += 1) await sessions.touch(`new-${user}`, 'id')
    expect(store.size).toBe(50)
  })

  it('forgets those who have not been seen for longest when it is full', async () => {
    const store = memorySessionStore({ maxSessions: 10 })
    const sessions = createSessions({ store, maxPerUser: 2 })
    await sessions.touch('quiet', 'id')
    for (let user = 0; user < 30; user += 1) {
      await sessions.touch(`user-${user}`, 'one')
      await sessions.touch(`user-${user}`, 'two')
      await sessions.touch('busy', 'id')
    }
    expect(store.size).toBeLessThanOrEqual(10)
    expect(await sessions.list('quiet')).toEqual([])
    expect(await sessions.list('busy')).toHaveLength(1)
  })

  it('keeps no user longer than needed after a look', async () => {
    const { store, now, advance } = harness()
    const sessions = createSessions({ store, now, ttlMs: 10 })
    await sessions.touch('ada', 'id')
    advance(10)
    expect(await sessions.list('ada')).toEqual([])
    expect(store.size).toBe(0)
    expect(await sessions.touch('ada', 'id')).toMatchObject({ opened: true })
    expect(store.size).toBe(1)
  })

  it('does not let a session seen later be seen earlier when the clock steps back', () => {
    const store = memorySessionStore()
    const touch = { handle: 'h', client: undefined, ttlMs: 1_000, limit: 1 }
    store.touch('ada', touch, 5_000)
    const answer = store.touch('ada', touch, 4_000)
    expect(answer).toMatchObject({ session: { lastSeenAt: 5_000, expiresAt: 6_000 } })
  })

  it('refuses a size that is no count', () => {
    expect(() => memorySessionStore({ maxSessions: 0 })).toThrow(/maxSessions/)
  })
})
