import { describe, expect, it } from 'vitest'
import { SharedCalls } from './shared-calls.ts'

function setUp() {
  const sent: { readonly call: string; readonly answer: (value: unknown) => void }[] = []
  const send = (call: string) => {
    const { promise, resolve } = Promise.withResolvers<unknown>()
    sent.push({ call, answer: resolve })
    return promise
  }
  const state = { hints: 0 }
  const redis = new SharedCalls(
    {
      callBuffer: (...call) => send(call.join(' ')),
      evaluate: ({ source }, keys, args) => send([source, ...keys, ...args].join(' ')),
    },
    () => state.hints,
  )
  return { redis, sent, state }
}

describe('SharedCalls', () => {
  it('sends the same once while it is not answered, and what differs by itself', async () => {
    const { redis, sent } = setUp()
    const calls = [
      redis.callBuffer('XRANGE', 'a', '1'),
      redis.callBuffer('XRANGE', 'a', '1'),
      redis.callBuffer('XRANGE', 'a', '2'),
      redis.evaluate({ source: 'last', sha1: 's' }, ['a'], []),
      redis.evaluate({ source: 'last', sha1: 's' }, ['a'], []),
    ]
    expect(sent.map(({ call }) => call)).toEqual(['XRANGE a 1', 'XRANGE a 2', 'last a'])
    for (const { call, answer } of sent) answer(`reply to ${call}`)
    expect(await Promise.all(calls)).toEqual([
      'reply to XRANGE a 1',
      'reply to XRANGE a 1',
      'reply to XRANGE a 2',
      'reply to last a',
      'reply to last a',
    ])
    void redis.callBuffer('XRANGE', 'a', '1')
    expect(sent).toHaveLength(4)
  })

  it('asks again for who comes after a hint', () => {
    const { redis, sent, state } = setUp()
    void redis.callBuffer('XRANGE', 'a', '1')
    state.hints += 1
    void redis.callBuffer('XRANGE', 'a', '1')
    void redis.callBuffer('XRANGE', 'a', '1')
    expect(sent).toHaveLength(2)
  })

  it('keeps nothing of a call that failed', async () => {
    let fails = true
    const call = async () => {
      if (fails) throw new Error('away')
      return 'there'
    }
    const redis = new SharedCalls({ callBuffer: call, evaluate: call }, () => 0)
    const failed = [redis.callBuffer('PING'), redis.callBuffer('PING')]
    for (const each of failed) await expect(each).rejects.toThrow('away')
    fails = false
    expect(await redis.callBuffer('PING')).toBe('there')
  })
})
