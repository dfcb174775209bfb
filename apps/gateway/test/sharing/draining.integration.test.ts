import { type Provider, pollUntil, type RunningGateway, startProvider } from '@tidegate/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Asked, ask, faultIn, sharingGateway, ways } from './sharing-gateway.ts'
import { Traffic } from './traffic.ts'

let provider: Provider
let gateway: RunningGateway

beforeAll(async () => {
  provider = await startProvider()
})
beforeEach(async () => {
  gateway = await sharingGateway(provider)
})
afterEach(async () => {
  await gateway[Symbol.asyncDispose]()
  provider.reset()
})
afterAll(async () => await provider?.[Symbol.asyncDispose]())

describe('a gateway that is told to stop', () => {
  it('completes the streams that several read', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    provider.always({ beforeEvent: (index) => (index === 2 ? promise : undefined) })
    const shared: Asked = { way: 'coalesced', model: 'tide', stream: true }
    const keyed: Asked = { way: 'keyed', model: 'tide', stream: true, key: 'one' }
    const cached: Asked = { way: 'cached', model: 'tide', stream: true }
    const asked = [shared, shared, shared, keyed, keyed, cached, cached]
    const answers = await Promise.all(asked.map((each) => ask(gateway, each)))
    gateway.signal('SIGTERM')
    await gateway.waitForLog(({ message }) => message === 'draining')
    resolve()
    const faults = answers.map((answer, index) =>
      faultIn(Promise.resolve(answer), asked[index] ?? shared),
    )
    expect(await Promise.all(faults)).toEqual(asked.map(() => undefined))
    expect(provider.hits).toBe(3)
    expect(await gateway.exit).toMatchObject({ code: 0 })
  }, 60_000)

  it('completes what a client has left that will come again', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    provider.always({ beforeHeaders: () => promise })
    const leaving = new AbortController()
    const asked: Asked = { way: 'keyed', model: 'tide', key: 'left' }
    const left = ask(gateway, { ...asked, signal: leaving.signal })
    const request = await provider.waitForRequest()
    leaving.abort()
    await expect(left).rejects.toThrow()
    await gateway.waitForLog(({ status_code }) => status_code === 499)
    gateway.signal('SIGTERM')
    await gateway.waitForLog(({ message }) => message === 'draining')
    resolve()
    expect(await request.closedEarly).toBeNull()
    expect(await gateway.exit).toMatchObject({ code: 0 })
  }, 60_000)

  it('breaks off nothing of all that it took, and takes no more', async () => {
    const traffic = new Traffic([gateway])
    await traffic.more(300)
    expect(await traffic.stop()).toEqual([])
    const { promise, resolve } = Promise.withResolvers<void>()
    provider.always({ beforeEvent: (index) => (index === 2 ? promise : undefined) })
    const asked = [...Array(60).keys()].map(
      (number): Asked => ({
        way: ways[number % ways.length] ?? 'cached',
        ...{ model: `tide-last-${number % 8}`, key: `${number % 8}`, stream: true },
      }),
    )
    const answers = await Promise.all(asked.map((each) => ask(gateway, each)))
    gateway.signal('SIGTERM')
    const late: Asked = { way: 'cached', model: 'tide-late' }
    const isRefused = async () =>
      (await faultIn(ask(gateway, late), late))?.includes('ECONNREFUSED') === true
    await pollUntil(isRefused, { describe: () => 'it still takes requests' })
    resolve()
    const faults = answers.map((answer, index) =>
      faultIn(Promise.resolve(answer), asked[index] ?? late),
    )
    expect(await Promise.all(faults)).toEqual(asked.map(() => undefined))
    expect(await gateway.exit).toMatchObject({ code: 0 })
  }, 60_000)
})
