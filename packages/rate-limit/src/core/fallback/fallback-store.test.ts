import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { RateLimitError } from '../errors.ts'
import { createRateLimiter } from '../rate-limiter.ts'
import { budget, concurrency, fixedWindow, slidingWindow, tokenBucket } from '../rules.ts'
import type { StoreChange } from './fallback-store.ts'
import { FaultyStore } from './faulty-store.fixture.ts'

const MINUTE = 60_000

/** The timeout, and one more in which answers that have come would be read. */
const SILENCE_MS = 201

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

function setUp() {
  const store = new FaultyStore()
  const changes: StoreChange[] = []
  const limiter = createRateLimiter({
    policies: {
      rate: tokenBucket({ limit: 60, windowMs: MINUTE, burst: 20 }),
      sliding: slidingWindow({ limit: 8, windowMs: MINUTE }),
      fixed: fixedWindow({ limit: 8, windowMs: MINUTE }),
      slots: concurrency({ limit: 8, ttlMs: MINUTE }),
      tokens: budget({ limit: 1_000, windowMs: MINUTE }),
      open: tokenBucket({ limit: 3, windowMs: MINUTE, onStoreError: 'allow' }),
      openslots: concurrency({ limit: 1, ttlMs: MINUTE, onStoreError: 'allow' }),
      opentokens: budget({ limit: 100, windowMs: MINUTE, onStoreError: 'allow' }),
      strict: tokenBucket({ limit: 3, windowMs: MINUTE, onStoreError: 'deny' }),
      trial: tokenBucket({ limit: 3, windowMs: MINUTE, onStoreError: 'deny', shadow: true }),
    },
    store,
    storeTimeoutMs: 200,
    now: Date.now,
    onStoreChange: (change) => changes.push(change),
  })
  const conduct = (next: FaultyStore['conduct']) => {
    store.conduct = next
  }
  /** Makes the store fail, and the limiter notice. */
  const breakDown = async (next: FaultyStore['conduct'] = 'rejects') => {
    conduct(next)
    const noticed = limiter.peek('rate', 'nobody')
    await vi.advanceTimersByTimeAsync(SILENCE_MS)
    await noticed
  }
  /** Makes the store answer, and the limiter notice. */
  const recover = async () => {
    conduct('answers')
    await vi.advanceTimersByTimeAsync(15_000)
    await limiter.peek('rate', 'nobody')
    await vi.advanceTimersByTimeAsync(0)
  }
  return { store, changes, limiter, conduct, breakDown, recover }
}

describe('a store that fails', () => {
  it.each(['rejects', 'throws'] as const)(
    'is not asked again for a while when it %s',
    async (how) => {
      const { store, changes, limiter, conduct } = setUp()
      conduct(how)
      for (let calls = 0; calls < 5; calls += 1) {
        expect(await limiter.check('rate', 'ada')).toMatchObject({
          ...{ allowed: true, remaining: 19 - calls, source: 'fallback-local' },
        })
      }
      expect(store.asked).toHaveLength(1)
      expect(changes).toMatchObject([{ available: false, error: { message: /thrown|rejected/ } }])
    },
  )

  it('answers at once what can be answered at once', async () => {
    const { limiter, conduct, breakDown } = setUp()
    conduct('throws')
    expect(limiter.checkSync('rate', 'ada')?.source).toBe('fallback-local')
    await breakDown()
    expect(limiter.checkSync('rate', 'ada')).toMatchObject({ remaining: 18 })
  })

  it('goes on being asked when it is only too busy for one call', async () => {
    const { store, changes, limiter, conduct } = setUp()
    conduct('hangs')
    const waiting = limiter.check('rate', 'ada')
    store.decide = () => Promise.reject(new RateLimitError('store_busy', 'busy'))
    expect(await limiter.check('rate', 'ada')).toMatchObject({
      ...{ remaining: 19, source: 'fallback-local' },
    })
    expect(await limiter.check('strict', 'ada')).toMatchObject({ retryAfterMs: 200 })
    store.answerKept()
    expect((await waiting).source).toBe('memory')
    expect(changes).toEqual([])
  })

  it('is none for what the caller did wrong', async () => {
    const { changes, limiter } = setUp()
    await expect(limiter.check('rate', 'ada', { cost: 21 })).rejects.toThrow(/never allowed/)
    await expect(limiter.check('rate', '')).rejects.toThrow(/subject/)
    expect(changes).toEqual([])
  })

  it('cannot be made worse by an observer that fails', async () => {
    const store = new FaultyStore()
    store.conduct = 'rejects'
    const limiter = createRateLimiter({
      policies: { p: tokenBucket({ limit: 1, windowMs: MINUTE }) },
      store,
      onStoreChange: () => {
        throw new Error('observer')
      },
    })
    expect((await limiter.check('p', 'ada')).allowed).toBe(true)
  })
})

describe('a store that is silent', () => {
  it('costs the timeout once, also those who came later', async () => {
    const { store, changes, limiter, conduct } = setUp()
    conduct('hangs')
    const answered: number[] = []
    const ask = async () => {
      const { source } = await limiter.check('rate', 'ada')
      expect(source).toBe('fallback-local')
      answered.push(Date.now())
    }
    const began = Date.now()
    const first = ask()
    await vi.advanceTimersByTimeAsync(150)
    const second = ask()
    await vi.advanceTimersByTimeAsync(49)
    expect(answered).toEqual([])
    await vi.advanceTimersByTimeAsync(SILENCE_MS - 199)
    await Promise.all([first, second])
    expect(answered).toEqual([began + SILENCE_MS, began + SILENCE_MS])
    await ask()
    expect(answered.at(-1)).toBe(began + SILENCE_MS)
    expect(store.asked).toHaveLength(2)
    expect(changes).toMatchObject([{ available: false, error: { code: 'store_timeout' } }])
  })

  it('gives those who wait an answer when another call fails', async () => {
    const { limiter, conduct } = setUp()
    conduct('hangs')
    const waiting = [limiter.check('rate', 'ada'), limiter.check('rate', 'bob')]
    conduct('rejects')
    await limiter.check('rate', 'eve')
    const sources = (await Promise.all(waiting)).map(({ source }) => source)
    expect(sources).toEqual(['fallback-local', 'fallback-local'])
  })

  it('is late without harm: nothing is answered twice, and what it charged stays charged', async () => {
    const { store, changes, limiter, conduct, recover } = setUp()
    conduct('hangs')
    const asked = limiter.check('rate', 'ada', { cost: 15 })
    await vi.advanceTimersByTimeAsync(SILENCE_MS)
    expect(await asked).toMatchObject({ remaining: 5, source: 'fallback-local' })
    store.answerKept()
    await vi.advanceTimersByTimeAsync(0)
    expect(changes).toHaveLength(1)
    conduct('answers')
    await recover()
    expect(await limiter.peek('rate', 'ada')).toMatchObject({ remaining: 20, source: 'memory' })
    expect(store.asked.filter(({ subject }) => subject === 'ada')).toHaveLength(3)
  })

  it('gets back, late, slots and reservations of a caller who was answered without it', async () => {
    const { limiter, store, conduct, recover } = setUp()
    await limiter.acquire('ada', 'slots', { id: 'mine' })
    conduct('hangs')
    const asked = [
      limiter.acquire('ada', ['rate', 'slots', { policy: 'tokens', cost: 400 }]),
      limiter.acquire('ada', 'slots', { id: 'mine' }),
    ]
    await vi.advanceTimersByTimeAsync(SILENCE_MS)
    const [admission] = await Promise.all(asked)
    conduct('answers')
    store.answerKept()
    await recover()
    // What was held before is held still: asked for again, it had taken nothing.
    expect(await limiter.peek('slots', 'ada')).toMatchObject({ remaining: 7, source: 'memory' })
    expect(await limiter.peek('tokens', 'ada')).toMatchObject({ remaining: 1_000 })
    // What is held here is let go of here.
    expect(await admission?.lease?.settle(10)).toBe(true)
    expect(await admission?.lease?.release()).toBe(true)
  })

  it('is not taken for silent when it answered while this process was paused', async () => {
    const { store, changes, limiter, conduct } = setUp()
    conduct('hangs')
    // As an event loop does after a pause: all timers that are due, what has come, then immediates.
    setTimeout(() => setImmediate(() => store.answerKept()), 200)
    const asked = limiter.check('rate', 'ada')
    await vi.advanceTimersByTimeAsync(SILENCE_MS)
    expect([(await asked).source, changes]).toEqual(['memory', []])
  })

  it('does not keep the timeout running when it answers in time', async () => {
    const { changes, limiter, store, conduct } = setUp()
    conduct('hangs')
    for (let calls = 0; calls < 5; calls += 1) {
      const asked = limiter.check('rate', 'ada')
      await vi.advanceTimersByTimeAsync(150)
      store.answerKept()
      expect((await asked).source).toBe('memory')
    }
    await vi.advanceTimersByTimeAsync(1_000)
    expect(changes).toEqual([])
  })
})

describe('recovery', () => {
  it('is found by one look at a time that no call waits for and that takes nothing', async () => {
    const { store, changes, limiter, breakDown, conduct } = setUp()
    await limiter.check('rate', 'ada')
    await breakDown()
    conduct('hangs')
    store.asked.length = 0
    await vi.advanceTimersByTimeAsync(1_500)
    for (let calls = 0; calls < 5; calls += 1) {
      expect((await limiter.check('rate', 'ada')).source).toBe('fallback-local')
    }
    expect(store.asked).toMatchObject([
      { subject: 'nobody', requests: [{ action: 'peek' }, { limit: { policy: '.probe' } }] },
    ])
    conduct('answers')
    store.answerKept()
    await vi.advanceTimersByTimeAsync(0)
    expect(changes.map(({ available }) => available)).toEqual([false, true])
    expect(await limiter.check('rate', 'ada')).toMatchObject({ remaining: 19, source: 'memory' })
  })

  it('waits longer each time that the look fails or is not answered', async () => {
    const { store, changes, limiter, breakDown, conduct } = setUp()
    await breakDown('hangs')
    const looks: number[] = []
    const began = Date.now()
    for (let ms = 0; ms < 30_000; ms += 50) {
      if (ms === 10_000) conduct('rejects')
      const before = store.asked.length
      await limiter.check('rate', 'ada')
      if (store.asked.length > before) looks.push(Date.now() - began)
      await vi.advanceTimersByTimeAsync(50)
    }
    expect(looks.length).toBeGreaterThanOrEqual(4)
    expect(looks.length).toBeLessThanOrEqual(6)
    expect(changes).toHaveLength(1)
  })

  it('goes on from what was used when the store flaps', async () => {
    const { limiter, breakDown, recover } = setUp()
    await breakDown()
    await limiter.check('sliding', 'ada', { cost: 6 })
    await recover()
    await breakDown()
    expect(await limiter.check('sliding', 'ada', { cost: 2 })).toMatchObject({ remaining: 0 })
    await recover()
    expect((await limiter.peek('sliding', 'ada')).remaining).toBe(8)
  })
})

describe('onStoreError', () => {
  it('local: each of several processes has its share', async () => {
    const { store, limiter, breakDown } = setUp()
    store.nodes = 4
    await breakDown()
    const left = async (policy: 'rate' | 'sliding' | 'fixed') =>
      (await limiter.peek(policy, 'ada')).remaining
    expect([await left('rate'), await left('sliding'), await left('fixed')]).toEqual([5, 2, 2])
    const slots = ['a', 'b', 'c'].map((id) => limiter.acquire('ada', 'slots', { id }))
    expect((await Promise.all(slots)).map(({ allowed }) => allowed)).toEqual([true, true, false])
  })

  it('local: a cost above the share waits for the store rather than for ever', async () => {
    const { store, limiter, breakDown } = setUp()
    store.nodes = 4
    await breakDown()
    const { allowed, retryAfterMs } = await limiter.check('rate', 'ada', { cost: 20 })
    expect(allowed).toBe(false)
    expect(retryAfterMs).toBeGreaterThan(0)
    expect(retryAfterMs).toBeLessThanOrEqual(1_200)
  })

  it('local: another number of processes begins anew and keeps what is held', async () => {
    const { store, limiter, breakDown, recover } = setUp()
    await breakDown()
    await limiter.check('sliding', 'ada', { cost: 8 })
    const { lease } = await limiter.acquire('ada', 'slots')
    await recover()
    store.nodes = 2
    await breakDown()
    expect((await limiter.peek('sliding', 'ada')).remaining).toBe(4)
    expect(await lease?.renew()).toBe(true)
    expect(await lease?.release()).toBe(true)
    expect(await lease?.release()).toBe(false)
  })

  it('allow: lets everything pass that could ever pass', async () => {
    const { limiter, breakDown } = setUp()
    await breakDown()
    for (let calls = 0; calls < 10; calls += 1) {
      expect(await limiter.check('open', 'ada', { cost: 3 })).toMatchObject({
        ...{ allowed: true, remaining: 3, retryAfterMs: 0, source: 'fallback-allow' },
      })
    }
    await expect(limiter.check('open', 'ada', { cost: 4 })).rejects.toThrow(/never/)
  })

  it('deny: denies until the store is asked again', async () => {
    const { limiter, breakDown } = setUp()
    await breakDown()
    const decision = await limiter.check('strict', 'ada')
    expect(decision).toMatchObject({ allowed: false, remaining: 0, source: 'fallback-deny' })
    expect(decision.retryAfterMs).toBeGreaterThan(0)
    expect(decision.retryAfterMs).toBeLessThanOrEqual(1_200)
  })

  it('charges none of the policies of a call when one of them denies', async () => {
    const { limiter, breakDown } = setUp()
    await breakDown()
    const outcome = await limiter.acquire('ada', ['rate', 'openslots', 'strict', 'slots'])
    expect(outcome).toMatchObject({ allowed: false, policy: 'strict' })
    expect(outcome.decisions.map(({ allowed }) => allowed)).toEqual([true, true, false, true])
    expect((await limiter.peek('rate', 'ada')).remaining).toBe(20)
    expect((await limiter.peek('slots', 'ada')).remaining).toBe(8)
    const shadow = await limiter.checkAll('ada', ['rate', 'trial'])
    expect(shadow).toMatchObject({ allowed: true, policy: 'rate', remaining: 19 })
    expect(shadow.decisions[1]).toMatchObject({ allowed: false, source: 'fallback-deny' })
  })

  it('gives back of several subjects what was taken locally', async () => {
    const { limiter, breakDown } = setUp()
    await breakDown()
    const all = ['rate', 'sliding', 'slots', { policy: 'tokens', cost: 300 }] as const
    const admission = await limiter.acquireAll([
      { subject: 'ip', requests: all },
      { subject: 'ada', requests: 'strict' },
    ])
    expect(admission.allowed).toBe(false)
    const left = await Promise.all(
      (['rate', 'sliding', 'slots', 'tokens'] as const).map((policy) => limiter.peek(policy, 'ip')),
    )
    expect(left.map(({ remaining }) => remaining)).toEqual([20, 8, 8, 1_000])
  })

  it('gives back nothing here of what the store charged', async () => {
    const { store, limiter, conduct } = setUp()
    const decide = store.decide.bind(store)
    store.decide = (subject, requests, now) => {
      if (subject === 'ada') conduct('rejects')
      return decide(subject, requests, now)
    }
    const denied = await limiter.acquireAll([
      { subject: 'ip', requests: 'rate' },
      { subject: 'ada', requests: 'strict' },
    ])
    expect(denied.allowed).toBe(false)
    expect((await limiter.peek('rate', 'ip')).remaining).toBe(20)
    await limiter.check('rate', 'ip', { cost: 20 })
    expect((await limiter.check('rate', 'ip')).allowed).toBe(false)
  })
})

describe('what is held', () => {
  it('here lives, is settled and released here, also when the store is back', async () => {
    const { store, limiter, breakDown, recover } = setUp()
    await breakDown()
    const held = ['slots', { policy: 'tokens', cost: 400 }] as const
    const { lease } = await limiter.acquire('ada', held)
    await recover()
    store.asked.length = 0
    expect(await lease?.renew()).toBe(true)
    expect(await lease?.settle(100)).toBe(true)
    expect(await lease?.release()).toBe(true)
    expect(await lease?.release()).toBe(false)
    expect(store.asked).toEqual([])
    await breakDown()
    expect((await limiter.peek('slots', 'ada')).remaining).toBe(8)
  })

  it('by leave of allow lives as long as it is renewed', async () => {
    const { limiter, breakDown, recover } = setUp()
    await breakDown()
    const admissions = await Promise.all(
      [1, 2, 3].map(() =>
        limiter.acquire('ada', ['openslots', { policy: 'opentokens', cost: 90 }]),
      ),
    )
    expect(admissions.every(({ allowed }) => allowed)).toBe(true)
    await recover()
    const [first, second] = admissions
    expect(await first?.lease?.renew()).toBe(true)
    expect(await first?.lease?.settle(5)).toBe(true)
    expect(await first?.lease?.release()).toBe(true)
    await vi.advanceTimersByTimeAsync(MINUTE)
    expect(await second?.lease?.renew()).toBe(false)
  })

  it('by the store is not lost by a heartbeat that cannot be delivered', async () => {
    const { limiter, breakDown, recover } = setUp()
    const { lease } = await limiter.acquire('ada', ['slots', { policy: 'tokens', cost: 400 }])
    await breakDown()
    expect(await lease?.renew()).toBe(true)
    await recover()
    expect(await lease?.renew()).toBe(true)
    expect(await lease?.settle(100)).toBe(true)
    expect(await lease?.release()).toBe(true)
  })

  it('by the store stays charged when its settlement cannot be delivered', async () => {
    const { limiter, breakDown, recover } = setUp()
    const { lease } = await limiter.acquire('ada', ['slots', { policy: 'tokens', cost: 900 }])
    await breakDown()
    expect(await lease?.settle(0)).toBe(false)
    expect(await lease?.release()).toBe(false)
    await recover()
    expect((await limiter.peek('tokens', 'ada')).remaining).toBeLessThan(500)
    await vi.advanceTimersByTimeAsync(MINUTE)
    expect((await limiter.peek('slots', 'ada')).remaining).toBe(8)
  })

  it('here moves to the store when it is acquired again', async () => {
    const { limiter, breakDown, recover } = setUp()
    await breakDown()
    await limiter.acquire('ada', 'slots', { id: 'phone' })
    await recover()
    const { lease } = await limiter.acquire('ada', 'slots', { id: 'phone' })
    expect((await limiter.peek('slots', 'ada')).remaining).toBe(7)
    expect(await lease?.release()).toBe(true)
    expect((await limiter.peek('slots', 'ada')).remaining).toBe(8)
    await breakDown()
    expect((await limiter.peek('slots', 'ada')).remaining).toBe(8)
  })
})

describe('storeTimeoutMs', () => {
  it.each([0, -1, 0.5, Number.NaN, 2 ** 31])('cannot be %s', (storeTimeoutMs) => {
    const policies = { p: tokenBucket({ limit: 1, windowMs: MINUTE }) }
    const store = new FaultyStore()
    expect(() => createRateLimiter({ policies, store, storeTimeoutMs })).toThrow(/storeTimeoutMs/)
    expect(() => createRateLimiter({ policies, storeTimeoutMs })).toThrow(/storeTimeoutMs/)
  })
})
