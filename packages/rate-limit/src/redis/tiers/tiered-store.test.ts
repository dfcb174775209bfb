import { describe, expect, it } from 'vitest'
import { concurrency, type Rule, slidingWindow, tokenBucket } from '../../core/rules.ts'
import type { Limit, StoreAction, StoreRequest, Verdict } from '../../core/store.ts'
import { storeConformance } from '../../testing/conformance.ts'
import { answersFrom, type Backend, type BackendAnswer, type BackendAsk } from '../backend.ts'
import { withLeases } from './leased-twins.fixture.ts'
import { ModelBackend } from './model-backend.fixture.ts'
import { TieredStore } from './tiered-store.ts'

const START = 1_800_000_000_000
const limitOf = (policy: string, rule: Rule): Limit => ({ policy, rule })

const take = (limit: Limit, amount = 1, id?: string): StoreRequest => ({
  limit,
  action: 'take',
  amount,
  ...(id === undefined ? {} : { id }),
})

/** A model behind a wire that holds what is sent until it is told to let it pass. */
class Wire implements Backend {
  now = START
  readonly model = new ModelBackend(() => this.now)
  readonly sent: (readonly BackendAsk[])[] = []
  readonly #held: ((error?: Error) => void)[] = []

  decide(asks: readonly BackendAsk[]): readonly Promise<BackendAnswer>[] {
    this.sent.push(asks)
    const { promise, resolve, reject } = Promise.withResolvers<readonly BackendAnswer[]>()
    this.#held.push((error) => (error ? reject(error) : resolve(this.model.decideNow(asks))))
    return answersFrom(promise, asks)
  }

  async passOne(error?: Error): Promise<void> {
    await turn()
    this.#held.shift()?.(error)
    await turn()
  }

  /** Lets everything pass until nothing is under way. */
  async pass(): Promise<void> {
    await turn()
    while (this.#held.length > 0) await this.passOne()
  }
}

async function one<T>([promise]: readonly Promise<T>[]): Promise<T> {
  if (promise === undefined) throw new TypeError('no answer')
  return await promise
}

const turn = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)))

function openStore(wire: Wire, options: { denyCacheMs?: number; maxWaiting?: number } = {}) {
  return new TieredStore({
    backend: wire,
    clocks: { monotonic: () => wire.now - START, wall: () => wire.now },
    denyCacheMs: 10_000,
    maxSubjects: 100,
    ...options,
  })
}

const open = (options = {}) => {
  const wire = new Wire()
  const store = openStore(wire, options)
  const ask = async (...requests: StoreRequest[]) => store.decide('ada', requests)
  const all = async (calls: readonly (readonly StoreRequest[])[]) => {
    const told = Promise.allSettled(calls.map((requests) => ask(...requests)))
    await wire.pass()
    return (await told).map((one) => {
      if (one.status === 'rejected') throw one.reason
      return one.value
    })
  }
  return { wire, store, ask, all }
}

const brief = (told: readonly (readonly Verdict[])[]) =>
  told.map(([verdict]) => [verdict?.allowed, verdict?.remaining])

describe('TieredStore', () => {
  const bucket = limitOf('bucket', tokenBucket({ limit: 5, windowMs: 60_000 }))
  const slots = limitOf('slots', concurrency({ limit: 3 }))
  const windowed = limitOf('windowed', slidingWindow({ limit: 100, windowMs: 60_000 }))

  it('sends all that is asked in a turn as one call, and a subject as one ask', async () => {
    const { wire, store } = open()
    const told = ['ada', 'eve', 'ada'].map((subject) => store.decide(subject, [take(bucket)]))
    await wire.pass()
    expect(brief(await Promise.all(told))).toEqual([
      [true, 4],
      [true, 4],
      [true, 3],
    ])
    const asked = wire.sent.map((asks) => asks.map(({ subject, count }) => [subject, count]))
    expect(asked).toEqual([
      [
        ['ada', 2],
        ['eve', 1],
      ],
    ])
  })

  it('fails only those whose own ask fails, and answers the others without waiting for it', async () => {
    const model = new ModelBackend(() => START)
    const away = Promise.withResolvers<BackendAnswer>()
    const store = new TieredStore({
      backend: {
        decide: (asks) =>
          asks.map((ask) => (ask.subject === 'eve' ? away.promise : one(model.decide([ask])))),
      },
      clocks: { monotonic: () => 0, wall: () => START },
      ...{ denyCacheMs: 10_000, maxSubjects: 100 },
    })
    const [ada, eve, bob] = ['ada', 'eve', 'bob'].map(async (subject) =>
      store.decide(subject, [take(bucket)]),
    )
    const alone = Promise.resolve(store.decide('ada', [take(slots, 1, 'phone')]))
    expect(await Promise.all([ada, bob, alone])).toMatchObject([
      [{ remaining: 4 }],
      [{ remaining: 4 }],
      [{ remaining: 2 }],
    ])
    away.reject(new Error('away'))
    await expect(eve).rejects.toThrow('away')
    expect(await store.decide('ada', [take(bucket)])).toMatchObject([{ remaining: 3 }])
  })

  it('splits what would hold a server up for long', async () => {
    const { wire, store } = open()
    for (let at = 0; at < 450; at += 1) void store.decide(`user-${at}`, [take(bucket)])
    await wire.pass()
    expect(wire.sent.map(({ length }) => length)).toEqual([64, 64, 64, 64, 64, 64, 64, 2])
  })

  it('has those who come meanwhile wait and go as one, admitted in the order in which they came', async () => {
    const { wire, ask } = open()
    const first = ask(take(bucket))
    await turn()
    const later = Array.from({ length: 6 }, () => ask(take(bucket)))
    await turn()
    expect(wire.sent).toHaveLength(1)
    await wire.pass()
    expect(wire.sent[1]).toMatchObject([{ subject: 'ada', count: 6 }])
    expect(brief(await Promise.all([first, ...later]))).toEqual([
      ...[4, 3, 2, 1, 0].map((left) => [true, left]),
      ...[0, 0].map((left) => [false, left]),
    ])
    const [admitted, denied] = await Promise.all([later[3], later[4]])
    expect(admitted).toMatchObject([{ applied: true, retryAfterMs: 0, stamp: START }])
    expect(denied).toMatchObject([{ applied: false, retryAfterMs: 12_000, stamp: -1 }])
  })

  it('answers those who waited from what was learnt, and asks no more', async () => {
    const { wire, ask } = open()
    const first = ask(take(bucket, 5))
    await turn()
    const second = ask(take(bucket))
    await turn()
    await wire.passOne()
    const third = ask(take(bucket))
    await wire.pass()
    const fourth = await ask(take(bucket, 2))
    expect(brief(await Promise.all([first, second, third, fourth]))).toEqual([
      [true, 0],
      [false, 0],
      [false, 0],
      [false, 0],
    ])
    expect(fourth).toMatchObject([{ source: 'deny-cache', retryAfterMs: 12_000 }])
    expect(wire.sent).toHaveLength(2)
  })

  it('keeps those with other costs apart', async () => {
    const { wire, all } = open()
    const told = await all([1, 1, 9, 9, 2, 1].map((cost) => [take(windowed, cost)]))
    expect(wire.sent).toHaveLength(1)
    expect(wire.sent[0]?.map(({ requests, count }) => [requests[0]?.amount, count])).toEqual([
      [1, 2],
      [9, 2],
      [2, 1],
      [1, 1],
    ])
    expect(brief(told).map(([, left]) => left)).toEqual([99, 98, 89, 80, 78, 77])
  })

  it('tells each caller what a shadow policy would have said', async () => {
    const { all } = open()
    const shadow = limitOf('shadow', tokenBucket({ limit: 2, windowMs: 60_000, shadow: true }))
    const told = await all([1, 2, 3, 4].map(() => [take(shadow), take(windowed)]))
    expect(brief(told)).toEqual([
      [true, 1],
      [true, 0],
      [false, 0],
      [false, 0],
    ])
    expect(told.every(([, real]) => real?.applied)).toBe(true)
  })

  it('has who holds something ask for themselves', async () => {
    const { wire, all } = open()
    const slots = limitOf('slots', concurrency({ limit: 2 }))
    const told = await all(['a', 'b', 'a', 'c'].map((id) => [take(slots, 1, id)]))
    expect(brief(told).map(([allowed]) => allowed)).toEqual([true, true, true, false])
    expect(wire.sent.flat().every(({ count }) => count === 1)).toBe(true)
    const again = await all([[take(slots, 1, 'c')]])
    expect(again).toMatchObject([[{ allowed: false, source: 'model' }]])
  })

  it('denies without asking until others may give back what is missing', async () => {
    const { wire, all, ask } = open()
    await all([[take(bucket)], [take(bucket, 5)]])
    const changes: readonly [StoreAction, number][] = [
      ['penalty', 0],
      ['reset', 0],
    ]
    for (const [action, amount] of changes) {
      const before = wire.sent.length
      expect(await ask(take(bucket, 5))).toMatchObject([{ source: 'deny-cache' }])
      expect(wire.sent).toHaveLength(before)
      await all([[{ limit: bucket, action, amount }]])
      wire.now += 1
      const [told] = await all([[take(bucket, 5)]])
      expect(told).toMatchObject([{ source: 'model', allowed: action === 'reset' }])
    }
  })

  it('does not believe a denial that was on its way when the limit was reset', async () => {
    const { wire, ask } = open()
    const denied = ask(take(bucket, 5), take(windowed, 101))
    await turn()
    const reset = ask({ limit: windowed, action: 'reset', amount: 0 })
    await wire.pass()
    expect(await denied).toMatchObject([{ allowed: true }, { allowed: false }])
    await reset
    void ask(take(bucket, 5), take(windowed, 101))
    await turn()
    expect(wire.sent).toHaveLength(3)
  })

  it('rejects those who were sent when the backend fails, and goes on with the others', async () => {
    const { wire, ask } = open()
    const failing = ask(take(bucket))
    await turn()
    const waiting = ask(take(bucket))
    const lost = new Error('lost')
    const outcome = expect(failing).rejects.toBe(lost)
    await wire.passOne(lost)
    await outcome
    await wire.pass()
    expect(await waiting).toMatchObject([{ allowed: true, remaining: 4 }])
  })

  it('refuses to let too many wait', async () => {
    const { wire, all } = open({ maxWaiting: 3 })
    const calls = [1, 2, 3, 4].map(() => [take(windowed)])
    await expect(all(calls)).rejects.toMatchObject({ code: 'store_busy' })
    await wire.pass()
    expect(await all([[take(windowed)]])).toMatchObject([[{ remaining: 96 }]])
  })

  it('gives a subject up to nobody who never answers', async () => {
    const { wire, ask } = open()
    void ask(take(bucket))
    await turn()
    void ask(take(bucket))
    wire.now += 10_001
    const told = ask(take(bucket))
    await turn()
    expect(wire.sent[1]).toMatchObject([{ count: 2 }])
    await wire.pass()
    expect(await told).toMatchObject([{ allowed: true }])
  })
})

describe('TieredStore with leases', () => {
  const rule = tokenBucket({ limit: 1_000, windowMs: 1_000, precision: 'leased' })
  const leased = limitOf('leased', rule)
  const exact = limitOf('exact', slidingWindow({ limit: 10, windowMs: 60_000 }))

  /** A subject that is asked about often enough. */
  async function warm(options = {}) {
    const opened = open(options)
    for (let call = 0; call < 5; call += 1) await opened.all([[take(leased)]])
    return opened
  }

  it('asks about who is asked about seldom, and spends for who is asked about often', async () => {
    const { wire, store, all } = open()
    for (let call = 0; call < 3; call += 1) {
      expect(await all([[take(leased)]])).toMatchObject([[{ source: 'model' }]])
    }
    await all([[take(leased)]])
    const asked = wire.sent.length
    expect(store.decideSync('ada', [take(leased)])).toMatchObject([
      { allowed: true, applied: true, remaining: 995, source: 'lease', retryAfterMs: 0 },
    ])
    expect(store.decide('ada', [take(leased)])).toMatchObject([{ remaining: 994 }])
    expect(wire.sent).toHaveLength(asked)
  })

  it('spends nothing of a lease that has lapsed', async () => {
    const { wire, store } = await warm()
    expect(store.decideSync('ada', [take(leased)])).toBeDefined()
    wire.now += 248
    expect(store.decideSync('ada', [take(leased)])).toBeUndefined()
  })

  it('leases ahead, so that who can ask at once finds tokens', async () => {
    const { wire, store } = open()
    let here = 0
    for (let call = 0; call < 200; call += 1) {
      if (store.decideSync('ada', [take(leased)]) !== undefined) here += 1
      await wire.pass()
      wire.now += 1
    }
    expect(here).toBeGreaterThan(190)
    expect(wire.sent.length).toBeLessThan(8)
    expect(wire.sent.flat().every(({ count }) => count === 1)).toBe(true)
  })

  it('puts back what was spent when another policy of the call denies', async () => {
    const { store, all } = await warm()
    const before = store.decideSync('ada', [take(leased)])
    const told = await all([
      [take(leased), take(exact, 10)],
      [take(leased), take(exact)],
    ])
    expect(told).toMatchObject([
      [
        { applied: true, source: 'lease' },
        { applied: true, source: 'model' },
      ],
      [
        { allowed: true, applied: false, stamp: -1 },
        { allowed: false, applied: false },
      ],
    ])
    const again = store.decideSync('ada', [take(leased), take(exact)])
    expect(again).toMatchObject([{ applied: false }, { source: 'deny-cache' }])
    const after = store.decideSync('ada', [take(leased)])
    expect((before?.[0]?.remaining ?? 0) - (after?.[0]?.remaining ?? 0)).toBe(2)
  })

  it('puts back what was spent when the other part fails', async () => {
    const { wire, store, ask } = await warm()
    const before = store.decideSync('ada', [take(leased)])
    const failing = expect(ask(take(leased), take(exact))).rejects.toThrow('lost')
    await wire.passOne(new Error('lost'))
    await failing
    const after = store.decideSync('ada', [take(leased)])
    expect((before?.[0]?.remaining ?? 0) - (after?.[0]?.remaining ?? 0)).toBe(1)
  })

  it('takes a refund of what was spent here back here', async () => {
    const { wire, store, ask } = await warm()
    const [spent] = store.decideSync('ada', [take(leased, 3)]) ?? []
    const { stamp = -1, remaining = 0 } = spent ?? {}
    expect(stamp).toBeLessThan(-1)
    const asked = wire.sent.length
    const refund = { limit: leased, action: 'refund', amount: 3, stamp } as const
    expect(await ask(refund)).toMatchObject([{ applied: true, remaining: remaining + 3 }])
    wire.now += 300
    expect(await ask(refund)).toMatchObject([{ applied: false }])
    expect(wire.sent).toHaveLength(asked)
  })

  it.each(['reset', 'penalty', 'block'] as const)('spends nothing after a %s', async (action) => {
    const { store, ask, wire } = await warm()
    expect(store.decideSync('ada', [take(leased)])).toBeDefined()
    const change = ask({ limit: leased, action, amount: 10 })
    expect(store.decideSync('ada', [take(leased)])).toBeUndefined()
    await wire.pass()
    await change
    expect(store.decideSync('ada', [take(leased)])).not.toMatchObject([{ source: 'lease' }])
  })

  it('takes no lease that was on its way when the limit was reset', async () => {
    const { wire, store, ask } = open()
    await Promise.all([wire.pass(), ...Array.from({ length: 3 }, () => ask(take(leased)))])
    const granted = ask(take(leased))
    await turn()
    expect(wire.sent.at(-1)).toMatchObject([{ wants: [expect.toSatisfy((want) => want > 0)] }])
    const reset = ask({ limit: leased, action: 'reset', amount: 0 })
    expect(store.decideSync('ada', [take(leased)])).toBeUndefined()
    await wire.pass()
    await Promise.all([granted, reset])
    expect(store.decideSync('ada', [take(leased)])).toBeUndefined()
  })

  it('counts what is here in what it tells of what remains', async () => {
    const { store, all } = await warm()
    const [spent] = store.decideSync('ada', [take(leased)]) ?? []
    const peek = { limit: leased, action: 'peek', amount: 1 } as const
    expect(await all([[peek]])).toMatchObject([[{ remaining: spent?.remaining }]])
  })

  it('denies by itself for a quarter of an epoch after too few tokens, and then asks again', async () => {
    const { wire, store, all } = open()
    await all(Array.from({ length: 1_200 }, () => [take(leased)]))
    expect(store.decideSync('ada', [take(leased)])).toMatchObject([
      { allowed: false, retryAfterMs: 63 },
    ])
    const asked = wire.sent.length
    wire.now += 61
    await all([[take(leased)]])
    expect(wire.sent).toHaveLength(asked)
    wire.now += 2
    expect(await all([[take(leased)]])).toMatchObject([[{ allowed: true }]])
  })

  it('is bounded by no flood of subjects', async () => {
    const { wire, store } = open()
    for (let at = 0; at < 500; at += 1) void store.decide(`user-${at}`, [take(leased)])
    await wire.pass()
    expect(store.remembered).toBeLessThanOrEqual(200)
  })

  it('forgets all it knows', async () => {
    const { store } = await warm()
    store.forget()
    expect(store.remembered).toBe(0)
    expect(store.decideSync('ada', [take(leased)])).toBeUndefined()
  })
})

describe('TieredStore conforms, with all leased that can be', () => {
  for (const { name, run } of storeConformance) {
    it(name, () =>
      run(() => {
        let clock = START + 123
        const store = new TieredStore({
          backend: new ModelBackend(() => clock),
          clocks: { monotonic: () => clock, wall: () => clock },
          denyCacheMs: 10_000,
          maxSubjects: 100,
        })
        return {
          store: withLeases(store),
          exact: true,
          now: () => clock,
          advance: (ms) => {
            clock += ms
          },
        }
      }),
    )
  }
})
