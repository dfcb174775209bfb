import { describe, expect, it } from 'vitest'
import type { RedisClient } from './redis-client.ts'
import { redisDriver } from './redis-driver.ts'

/** A client that says what it is told to, and what it was asked. */
function scripted(answer: (name: string, args: readonly unknown[]) => unknown) {
  const asked: (readonly unknown[])[] = []
  const call = async (name: string, ...args: readonly unknown[]) => {
    asked.push([name, ...args])
    return answer(name, args)
  }
  const redis: RedisClient = {
    call,
    callBuffer: call,
    evaluate: (_, keys, args) => call('evaluate', ...keys, ...args),
    async *scan() {},
  }
  return { asked, redis, driver: redisDriver({ redis, prefix: 'p' }) }
}

const crossSlot = (name: string) => {
  if (name === 'MGET') throw new Error("CROSSSLOT Keys in request don't hash to the same slot")
  return null
}

describe('redisDriver', () => {
  it('reads together until a Cluster refuses it, and then each key where it lives', async () => {
    const { asked, driver } = scripted(crossSlot)
    expect(await driver.read(['a', 'b'])).toEqual([{}, {}])
    expect(asked).toEqual([
      ['MGET', 'p:v:a', 'p:v:b'],
      ['GET', 'p:v:a'],
      ['GET', 'p:v:b'],
    ])
    asked.length = 0
    await driver.read(['c', 'd'])
    expect(asked.map(([name]) => name)).toEqual(['GET', 'GET'])
  })

  it('reads as many together as are no burden to others', async () => {
    const { asked, driver } = scripted((_, args) => args.map(() => null))
    const keys = Array.from({ length: 250 }, (_, at) => String(at))
    expect(await driver.read(keys)).toHaveLength(250)
    expect(asked.map(({ length }) => length - 1)).toEqual([100, 100, 50])
  })

  it('passes on what it is rejected with', async () => {
    const { driver } = scripted(() => {
      throw new Error('broken')
    })
    const write = { key: 'k', bytes: Uint8Array.of(1), stamp: 's', ttlMs: 1 }
    const calls = [
      driver.read(['a']),
      driver.read(['a', 'b']),
      driver.write([write, { ...write, ifStamp: { stamp: 'x' } }]),
      driver.remove(['a', 'b'], 0),
      driver.now(),
      driver.epochs(['t']),
      driver.know(['t'], 1, 1),
      driver.invalidate('t', 1),
      driver.lock('a', 't', 1),
      driver.unlock('a', 't'),
    ]
    await Promise.all(calls.map((call) => expect(call).rejects.toThrow('broken')))
  })

  it('says when a client alters replies', async () => {
    const { driver } = scripted(() => '12')
    const calls = [driver.now(), driver.read(['a', 'b']), driver.epochs(['t'])]
    await Promise.all(calls.map((call) => expect(call).rejects.toThrow('has another form')))
  })

  it('takes what isn’t its own for nothing', async () => {
    for (const reply of ['', 'x', 'text of somebody', '\x01\x09short', '\x03\x01s']) {
      const { driver } = scripted(() => Buffer.from(reply, 'latin1'))
      expect(await driver.read(['a'])).toEqual([{ stamp: undefined, bytes: undefined }])
    }
    const { driver } = scripted(() => ['NaN', '1e3', '17', null, ''])
    expect(await driver.epochs(['a', 'b', 'c', 'd', 'e'])).toEqual([
      undefined,
      undefined,
      17,
      undefined,
      undefined,
    ])
  })

  it('refuses a client that isn’t one, braces in a prefix, and a stamp that isn’t one', async () => {
    expect(() => redisDriver({ redis: {} as never })).toThrow('call, callBuffer, evaluate, scan')
    expect(() => redisDriver({ redis: undefined as never })).toThrow('redisDriver: redis lacks')
    const { driver, redis } = scripted(() => 'OK')
    for (const prefix of ['{a}', 'a}', '']) {
      expect(() => redisDriver({ redis, prefix })).toThrow('the prefix must have a character')
    }
    for (const stamp of ['', 'x'.repeat(256)]) {
      const write = { key: 'k', bytes: Uint8Array.of(1), stamp, ttlMs: 1 }
      await expect(driver.write([write])).rejects.toThrow('1 to 255 characters')
    }
  })
})
