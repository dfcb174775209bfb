import {
  type RedisCluster,
  type RedisServer,
  startRedis,
  startRedisCluster,
} from '@tidegate/testkit'
import fc from 'fast-check'
import { Cluster, Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { limiterKey } from '../core/limiter-key.ts'
import { budget, fixedWindow, slidingWindow, tokenBucket } from '../core/rules.ts'
import type { Limit, StoreAction, StoreRequest } from '../core/store.ts'
import type { BackendAnswer, BackendAsk } from './backend.ts'
import type { RedisEvaluator } from './evaluator.ts'
import { ScriptBackend } from './script-backend.ts'
import { clocked, evaluatorOf } from './scripted-redis.fixture.ts'

let server: RedisServer
let client: Redis
let redis: RedisEvaluator

beforeAll(async () => {
  server = await startRedis({ own: true })
  client = new Redis(server.url)
  redis = evaluatorOf(client)
})

afterAll(async () => {
  client?.disconnect()
  await server?.[Symbol.asyncDispose]()
})

const window = { limit: 10, windowMs: 600 }
const limits: readonly Limit[] = [
  { policy: 'bucket', rule: tokenBucket({ ...window, burst: 25 }) },
  { policy: 'shadow', rule: tokenBucket({ ...window, burst: 5, shadow: true }) },
  { policy: 'sliding', rule: slidingWindow(window) },
  { policy: 'coarse', rule: slidingWindow({ ...window, limit: 50 }) },
  { policy: 'fixed', rule: fixedWindow(window) },
  { policy: 'budget', rule: budget(window) },
]

const requests = (actions: readonly StoreAction[]) =>
  fc.uniqueArray(
    fc.record({
      limit: fc.constantFrom(...limits),
      action: fc.constantFrom(...actions),
      amount: fc.oneof(fc.constant(1), fc.integer({ min: 0, max: 12 })),
    }),
    { minLength: 1, maxLength: limits.length, selector: ({ limit }) => limit.policy },
  )

let subjects = 0
const freshSubject = () => {
  subjects += 1
  return `asks-${subjects}`
}

function askOf(subject: string, asked: readonly StoreRequest[], count = 1): BackendAsk {
  return { subject, requests: asked, count, wants: asked.map(() => 0) }
}

/** How many scripts are run. */
function counting(evaluator: RedisEvaluator) {
  const calls: string[][] = []
  const counted: RedisEvaluator = {
    evaluate: (script, keys, args) => {
      calls.push([...keys])
      return evaluator.evaluate(script, keys, args)
    },
  }
  return { calls, counted }
}

describe('ScriptBackend with several at once', () => {
  const history = fc.array(
    fc.record({
      ms: fc.integer({ min: 0, max: 300 }),
      before: requests(['take', 'penalty', 'block']),
      takes: requests(['take']),
      count: fc.integer({ min: 2, max: 30 }),
    }),
    { minLength: 1, maxLength: 8 },
  )

  it('decides identical callers as if one came after another', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (rounds) => {
        let clock = 1_800_000_000_000
        const backend = new ScriptBackend({ redis: clocked(redis, () => clock) })
        const [together, alone] = [freshSubject(), freshSubject()]
        const one = async (subject: string, asked: readonly StoreRequest[], count = 1) => {
          const [answer] = await Promise.all(backend.decide([askOf(subject, asked, count)]))
          if (answer === undefined) throw new TypeError('no answer')
          return answer
        }
        for (const { ms, before, takes, count } of rounds) {
          clock += ms
          expect(await one(together, before)).toEqual(await one(alone, before))
          const stamps = takes.map(() => -1)
          let [admitted, last] = [0, await one(together, takes, count)]
          const told = last
          for (let caller = 0; caller < count; caller += 1) {
            last = await one(alone, takes)
            for (const [at, { stamp }] of last.verdicts.entries()) {
              stamps[at] = Math.max(stamps[at] ?? -1, stamp)
            }
            admitted += last.admitted
            if (last.admitted === 0) break
          }
          const verdicts = last.verdicts.map((verdict, at) => ({ ...verdict, stamp: stamps[at] }))
          expect(told).toEqual({ ...last, admitted, verdicts })
        }
      }),
      { numRuns: 100 },
    )
  })

  it('decides many subjects by one script as by one for each', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            who: fc.integer({ min: 0, max: 9 }),
            asked: requests(['take', 'take', 'peek', 'penalty', 'block', 'reset']),
          }),
          { minLength: 1, maxLength: 20 },
        ),
        async (asks) => {
          const clock = () => 1_800_000_000_000
          const { calls, counted } = counting(clocked(redis, clock))
          const prefix = freshSubject()
          const joint = new ScriptBackend({ redis: counted, prefix })
          const single = new ScriptBackend({ redis: clocked(redis, clock), prefix: `${prefix}s` })
          const all = asks.map(({ who, asked }) => askOf(`${who}`, asked))
          const expected = []
          for (const ask of all) expected.push(...(await Promise.all(single.decide([ask]))))
          expect(await Promise.all(joint.decide(all))).toEqual(expected)
          expect(calls).toHaveLength(1)
        },
      ),
      { numRuns: 50 },
    )
  })

  it('gives one script no more than 200 keys, and never cuts an ask in two', async () => {
    const { calls, counted } = counting(redis)
    const backend = new ScriptBackend({ redis: counted, prefix: 'many' })
    const three = limits.slice(0, 3).map((limit) => ({ limit, action: 'take', amount: 1 }) as const)
    const asks = Array.from({ length: 150 }, (_, who) => askOf(`${who}`, three))
    const answers = await Promise.all(backend.decide(asks))
    expect(answers.map(({ admitted }) => admitted)).toEqual(asks.map(() => 1))
    expect(calls.map((keys) => keys.length)).toEqual([198, 198, 54])
    expect(backend.decide([])).toEqual([])
  })
})

describe('ScriptBackend with one take', () => {
  it.each([
    ['bucket', tokenBucket],
    ['window', fixedWindow],
  ])(
    'of a %s decides it by a shorter script, as long as nothing of it is leased',
    async (_, kind) => {
      const terms = { limit: 100, windowMs: 86_400_000 }
      const exact = { policy: 'one', rule: kind(terms) }
      const leased = { policy: 'one', rule: kind({ ...terms, precision: 'leased' }) }
      const sent: string[] = []
      const backend = new ScriptBackend({
        redis: {
          evaluate: (script, keys, args) => {
            sent.push(script.sha1)
            return redis.evaluate(script, keys, args)
          },
        },
      })
      const subject = freshSubject()
      const take = async (limit: Limit, want = 0) => {
        const requests = [{ limit, action: 'take', amount: 1 } as const]
        const answer = await backend.decide([{ subject, requests, count: 1, wants: [want] }])[0]
        return [answer?.verdicts[0]?.remaining, answer?.leased[0]?.amount]
      }
      expect(await take(exact)).toEqual([99, 0])
      expect(await take(leased, 30)).toEqual([98, 30])
      expect(await take(exact)).toEqual([67, 0])
      const [short, long] = sent
      expect(short).not.toBe(long)
      expect(sent).toEqual([short, long, short, long])
    },
  )
})

describe('ScriptBackend on a Cluster', () => {
  const both = limits.slice(0, 2).map((limit) => ({ limit, action: 'take', amount: 1 }) as const)
  const asksOf = (subjects: number) =>
    Array.from({ length: subjects }, (_, who) => askOf(`${who}`, both))
  const left = (answers: readonly BackendAnswer[]) =>
    answers.map(({ verdicts }) => verdicts.map(({ remaining }) => remaining))
  const same = <T>(length: number, one: T) => Array.from({ length }, () => one)

  let cluster: RedisCluster
  let nodes: Cluster

  beforeAll(async () => {
    cluster = await startRedisCluster()
    nodes = new Cluster([...cluster.addresses])
  })

  afterAll(async () => {
    nodes?.disconnect()
    await cluster?.[Symbol.asyncDispose]()
  })

  /** As `commands` of a package around a client do: errors in words of its own, without the client's. */
  const rewording = (evaluator: RedisEvaluator): RedisEvaluator => ({
    evaluate: (...call) =>
      evaluator.evaluate(...call).catch((error: Error) => {
        throw new TypeError(`Redis refused EVALSHA: ${error.message.replace(/\.$/, '')}`)
      }),
  })

  it.each([
    ['ioredis', (evaluator: RedisEvaluator) => evaluator],
    ['a client with words of its own', rewording],
  ])('finds out with %s that scripts keep to one slot, and charges once', async (name, around) => {
    const { calls, counted } = counting(evaluatorOf(nodes))
    const backend = new ScriptBackend({ redis: around(counted), prefix: name.replaceAll(' ', '-') })
    expect(left(await Promise.all(backend.decide(asksOf(1))))).toEqual([[24, 4]])
    expect(left(await Promise.all(backend.decide(asksOf(20))))).toEqual([
      ...[[23, 3], ...same(19, [24, 4])],
    ])
    expect(calls.map((keys) => keys.length)).toEqual([2, 40, ...same(20, 2)])
    calls.length = 0
    const answers = await Promise.all([
      ...backend.decide(asksOf(20)),
      ...backend.decide(asksOf(20)),
    ])
    expect(left(answers)).toEqual([
      ...[[22, 2], ...same(19, [23, 3])],
      ...[[21, 1], ...same(19, [22, 2])],
    ])
    expect(calls.map((keys) => keys.length)).toEqual(same(40, 2))
  })

  it('finds out once for calls that leave together', async () => {
    const { calls, counted } = counting(evaluatorOf(nodes))
    const backend = new ScriptBackend({ redis: counted, prefix: 'at-once' })
    const answers = await Promise.all([...backend.decide(asksOf(9)), ...backend.decide(asksOf(9))])
    const rooms = left(answers).map(([room = 0]) => room)
    expect(rooms.toSorted((a, b) => a - b)).toEqual([...same(9, 23), ...same(9, 24)])
    expect(calls).toHaveLength(2 + 18)
  })

  it('fails only those whose part of it is away, and keeps nobody else waiting', async () => {
    const nodes = new Cluster([...cluster.addresses], {
      redisOptions: { commandTimeout: 1_000 },
      slotsRefreshTimeout: 500,
    })
    // What a node that hangs makes of its connection is told by the commands that fail.
    nodes.on('error', () => undefined)
    const prefix = 'away'
    const [first = { policy: 'none', rule: tokenBucket(window) }] = limits
    const backend = new ScriptBackend({ redis: evaluatorOf(nodes), prefix })
    await Promise.all(backend.decide(asksOf(30)))
    const keys = asksOf(30).map(({ subject }) => limiterKey(subject, first, prefix))
    const owners = await Promise.all(keys.map((key) => cluster.ownerOf(key)))
    const [away] = owners
    away?.pause()
    const answered: number[] = []
    const failed: number[] = []
    const outcomes = backend.decide(asksOf(30)).map((answer, at) =>
      answer.then(
        () => answered.push(at),
        () => {
          // All others were there long before the first gave up.
          expect(answered).toHaveLength(owners.filter((owner) => owner !== away).length)
          failed.push(at)
        },
      ),
    )
    await Promise.all(outcomes)
    expect(failed.map((at) => owners[at])).toEqual(failed.map(() => away))
    expect(answered.length + failed.length).toBe(30)
    away?.resume()
    nodes.disconnect()
  })

  it('sends what is asked of one subject by one script, and answers in the order of the asks', async () => {
    const { calls, counted } = counting(evaluatorOf(nodes))
    const backend = new ScriptBackend({ redis: counted, prefix: 'mixed', multiSlot: false })
    const asks = ['ada', 'eve', 'ada', 'bob', 'eve', 'ada'].map((who) => askOf(who, both))
    const answers = await Promise.all(backend.decide(asks))
    expect(left(answers).map(([room]) => room)).toEqual([24, 24, 23, 24, 23, 22])
    expect(calls.map((keys) => keys.length)).toEqual([6, 4, 2])
  })
})

describe('ScriptBackend when Redis refuses', () => {
  const takes = limits.map((limit) => ({ limit, action: 'take', amount: 2 }) as const)
  const peeks = limits.map((limit) => ({ limit, action: 'peek', amount: 1 }) as const)
  const rooms = async (backend: ScriptBackend, subject: string) => {
    const answers = await Promise.all(backend.decide([askOf(subject, peeks)]))
    return answers.flatMap(({ verdicts }) => verdicts.map(({ remaining }) => remaining))
  }

  it.each([
    [
      'is out of memory',
      ['CONFIG', 'SET', 'maxmemory', '1'],
      ['CONFIG', 'SET', 'maxmemory', '0'],
      'OOM',
    ],
    ['is a replica', ['REPLICAOF', '127.0.0.1', '1'], ['REPLICAOF', 'NO', 'ONE'], 'READONLY'],
  ] as const)(
    'charges nothing, of none of many subjects, when it %s',
    async (_, [on, ...onArgs], [off, ...offArgs], code) => {
      const backend = new ScriptBackend({ redis })
      const known = [freshSubject(), freshSubject()]
      await Promise.all(backend.decide(known.map((subject) => askOf(subject, takes))))
      await client.call(on, ...onArgs)
      const refused = Promise.all(
        backend.decide([...known, freshSubject()].map((subject) => askOf(subject, takes))),
      )
      await expect(refused).rejects.toThrow(code)
      await client.call(off, ...offArgs)
      for (const subject of known)
        expect(await rooms(backend, subject)).toEqual([23, 3, 8, 48, 8, 8])
    },
  )

  it('goes on when Redis has forgotten the script', async () => {
    const backend = new ScriptBackend({ redis })
    const subject = freshSubject()
    await Promise.all(backend.decide([askOf(subject, takes)]))
    await client.script('FLUSH')
    await Promise.all(backend.decide([askOf(subject, takes)]))
    expect(await rooms(backend, subject)).toEqual([21, 1, 6, 46, 6, 6])
  })

  it.each([2, 3] as const)('understands the answer over RESP%i', async (protocol) => {
    const other = new Redis(server.url, { protocol })
    const backend = new ScriptBackend({ redis: evaluatorOf(other) })
    const subject = freshSubject()
    await Promise.all(backend.decide([askOf(subject, takes), askOf(freshSubject(), takes)]))
    expect(await rooms(backend, subject)).toEqual([23, 3, 8, 48, 8, 8])
    other.disconnect()
  })
})
