import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { createSessions, type Sessions, type SessionsOptions } from './create-sessions.ts'
import { MAX_ENDED, type SessionStore } from './session-store.ts'

/** A store of sessions to be examined, and its clock. */
export interface SessionHarness {
  readonly store: SessionStore
  /** What the store is given as `now`; one with a clock of its own ignores it. */
  now(): number
  /** Lets at least so many milliseconds pass: moves the clock, or waits when the store has its own. */
  advance(ms: number): void | Promise<void>
  /** Whether time stands still but for `advance`, so that every millisecond can be checked. */
  readonly exact: boolean
  /** Called at the end of each case. */
  close?(): void | Promise<void>
}

/** One thing that a store of sessions has to do. */
export interface SessionConformanceCase {
  readonly name: string
  run(open: () => SessionHarness | Promise<SessionHarness>): Promise<void>
}

interface Probe {
  readonly harness: SessionHarness
  /** Nobody else's. */
  readonly user: string
  sessions(options?: Pick<SessionsOptions, 'ttlMs' | 'maxPerUser'>): Sessions
}

function sessionCase(name: string, body: (probe: Probe) => Promise<void>): SessionConformanceCase {
  return {
    name,
    async run(open) {
      const harness = await open()
      const { store } = harness
      const sessions: Probe['sessions'] = (options) =>
        createSessions({ ...options, store, now: () => harness.now() })
      try {
        await body({ harness, user: randomUUID(), sessions })
      } finally {
        await harness.close?.()
      }
    },
  }
}

/**
 * What every store of sessions has to do, as cases for any test runner:
 * `for (const { name, run } of sessionConformance) it(name, () => run(open))`. A case opens one store,
 * uses users of its own, and rejects with an `AssertionError` that says what is wrong.
 */
export const sessionConformance: readonly SessionConformanceCase[] = [
  sessionCase('the first touch opens a session and the next one renews it', async (probe) => {
    const sessions = probe.sessions({ ttlMs: 60_000 })
    const first = await sessions.touch(probe.user, 'phone', { client: 'ünï\ncode: 1.0' })
    await probe.harness.advance(5)
    const again = await sessions.touch(probe.user, 'phone')
    assert.ok(first.allowed && again.allowed)
    assert.deepEqual([first.opened, again.opened], [true, false])
    assert.equal(first.session.handle, sessions.handleOf(probe.user, 'phone'))
    assert.equal(first.session.client, 'ünï\ncode: 1.0')
    assert.equal(again.session.client, 'ünï\ncode: 1.0')
    assert.equal(again.session.createdAt, first.session.createdAt)
    assert.ok(again.session.lastSeenAt >= first.session.lastSeenAt + 5)
    for (const { session } of [first, again]) {
      assert.equal(session.expiresAt, session.lastSeenAt + 60_000)
    }
    if (probe.harness.exact) assert.equal(again.session.lastSeenAt, probe.harness.now())
  }),
  sessionCase('no more of one user are open than the limit', async ({ sessions, user }) => {
    const two = sessions({ maxPerUser: 2, ttlMs: 60_000 })
    await two.touch(user, 'a')
    await two.touch(user, 'b')
    const denied = await two.touch(user, 'c')
    assert.ok(!denied.allowed && denied.reason === 'limit')
    assert.deepEqual([denied.limit, denied.active], [2, 2])
    assert.ok(denied.retryAfterMs > 0 && denied.retryAfterMs <= 60_000)
    assert.equal((await two.touch(user, 'b')).allowed, true)
    assert.equal((await two.touch(randomUUID(), 'c')).allowed, true)
    assert.equal((await two.list(user)).length, 2)
  }),
  sessionCase('touches at the same time open no more than the limit', async (probe) => {
    const sessions = probe.sessions({ maxPerUser: 3, ttlMs: 60_000 })
    const ids = Array.from({ length: 20 }, (_, at) => `id-${at}`)
    const answers = await Promise.all(ids.map((id) => sessions.touch(probe.user, id)))
    assert.equal(answers.filter(({ allowed }) => allowed).length, 3)
  }),
  sessionCase('a session lapses unless it is renewed, exactly when it was told', async (probe) => {
    const sessions = probe.sessions({ maxPerUser: 2, ttlMs: 1_000 })
    await sessions.touch(probe.user, 'renewed')
    await sessions.touch(probe.user, 'forgotten')
    await probe.harness.advance(600)
    await sessions.touch(probe.user, 'renewed')
    const denied = await sessions.touch(probe.user, 'new')
    assert.ok(!denied.allowed && denied.reason === 'limit' && denied.retryAfterMs <= 400)
    if (probe.harness.exact) {
      assert.equal(denied.retryAfterMs, 400)
      await probe.harness.advance(399)
      assert.equal((await sessions.touch(probe.user, 'new')).allowed, false)
      await probe.harness.advance(1)
    } else await probe.harness.advance(denied.retryAfterMs)
    assert.equal((await sessions.list(probe.user)).length, 1)
    assert.equal((await sessions.touch(probe.user, 'new')).allowed, true)
  }),
  sessionCase('what lapsed opens anew', async (probe) => {
    const sessions = probe.sessions({ ttlMs: 100 })
    const first = await sessions.touch(probe.user, 'phone', { client: 'old' })
    await probe.harness.advance(100)
    const second = await sessions.touch(probe.user, 'phone')
    assert.ok(first.allowed && second.allowed && second.opened)
    assert.ok(second.session.createdAt >= first.session.createdAt + 100)
    assert.equal(second.session.client, undefined)
  }),
  sessionCase('an ended session is refused, and makes room for another', async (probe) => {
    const sessions = probe.sessions({ maxPerUser: 1, ttlMs: 60_000 })
    await sessions.touch(probe.user, 'phone')
    const handle = sessions.handleOf(probe.user, 'phone')
    assert.equal((await sessions.get(probe.user, handle))?.handle, handle)
    assert.equal(await sessions.end(randomUUID(), handle), undefined)
    assert.equal(await sessions.end(probe.user, ''), undefined)
    assert.equal((await sessions.end(probe.user, handle))?.handle, handle)
    assert.equal(await sessions.end(probe.user, handle), undefined)
    const refused = await sessions.touch(probe.user, 'phone')
    assert.ok(!refused.allowed && refused.reason === 'ended')
    assert.equal(await sessions.get(probe.user, handle), undefined)
    assert.equal((await sessions.touch(probe.user, 'laptop')).allowed, true)
    assert.deepEqual(
      (await sessions.list(probe.user)).map((each) => each.handle),
      [sessions.handleOf(probe.user, 'laptop')],
    )
  }),
  sessionCase('an ended session stays ended for its time, however often it asks', async (probe) => {
    const sessions = probe.sessions({ ttlMs: 400 })
    await sessions.touch(probe.user, 'phone')
    await probe.harness.advance(100)
    await sessions.end(probe.user, sessions.handleOf(probe.user, 'phone'))
    for (let asked = 0; asked < 3; asked += 1) {
      assert.equal((await sessions.touch(probe.user, 'phone')).allowed, false)
      await probe.harness.advance(probe.harness.exact ? 133 : 50)
    }
    await probe.harness.advance(probe.harness.exact ? 1 : 400)
    const anew = await sessions.touch(probe.user, 'phone')
    assert.ok(anew.allowed && anew.opened)
  }),
  sessionCase('all are ended at once', async ({ sessions: made, user }) => {
    const sessions = made({ ttlMs: 60_000 })
    await sessions.touch(user, 'phone')
    await sessions.touch(user, 'laptop')
    assert.equal((await sessions.endAll(user)).length, 2)
    assert.deepEqual(await sessions.endAll(user), [])
    assert.deepEqual(await sessions.list(user), [])
    assert.equal((await sessions.touch(user, 'phone')).allowed, false)
    assert.equal((await sessions.touch(user, 'laptop')).allowed, false)
  }),
  sessionCase('a lower limit ends nobody, and opens none until there is room', async (probe) => {
    const before = probe.sessions({ maxPerUser: 3, ttlMs: 60_000 })
    for (const id of ['a', 'b', 'c']) await before.touch(probe.user, id)
    const after = probe.sessions({ maxPerUser: 2, ttlMs: 60_000 })
    assert.equal((await after.touch(probe.user, 'a')).allowed, true)
    await after.end(probe.user, after.handleOf(probe.user, 'b'))
    const denied = await after.touch(probe.user, 'd')
    assert.ok(!denied.allowed && denied.reason === 'limit' && denied.active === 2)
    await after.end(probe.user, after.handleOf(probe.user, 'c'))
    assert.equal((await after.touch(probe.user, 'd')).allowed, true)
  }),
  sessionCase('what was ended is not shaken off by opening and ending others', async (probe) => {
    const sessions = probe.sessions({ ttlMs: 60_000 })
    await sessions.touch(probe.user, 'stolen')
    await sessions.end(probe.user, sessions.handleOf(probe.user, 'stolen'))
    for (let made = 1; made < MAX_ENDED; made += 1) {
      const opened = await sessions.open(probe.user)
      assert.ok(opened.allowed)
      await sessions.end(probe.user, opened.session.handle)
    }
    const denied = await sessions.open(probe.user)
    assert.ok(!denied.allowed && denied.active === 0 && denied.retryAfterMs <= 60_000)
    const refused = await sessions.touch(probe.user, 'stolen')
    assert.ok(!refused.allowed && refused.reason === 'ended')
  }),
]
