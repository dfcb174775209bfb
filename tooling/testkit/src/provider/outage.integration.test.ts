import { describe, expect, it } from 'vitest'
import { rawRequest } from '../net/raw-request.ts'
import { startProvider } from './provider.ts'

const send = 'GET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n'

describe('an outage', () => {
  it('refuses connections, cuts those there are, and ends on the same port', async () => {
    await using provider = await startProvider()
    const { port } = provider
    provider.next({ fault: { kind: 'stall', at: 'before-headers' } })
    const waiting = rawRequest({ port, send })
    const request = await provider.waitForRequest()
    await provider.die('refuse')
    expect((await waiting).text).toBe('')
    expect(await request.closedEarly).toBeNull()
    expect(provider.openConnections).toBe(0)
    await expect(rawRequest({ port, send })).rejects.toThrow('ECONNREFUSED')
    expect(provider.hits).toBe(1)
    await provider.recover()
    expect(provider.port).toBe(port)
    expect((await rawRequest({ port, send })).response.status).toBe(200)
  })

  it.each([
    ['reset', { ended: 'reset', text: '' }],
    ['silent', { ended: 'timed-out', text: '' }],
    ['unavailable', { response: { status: 503 } }],
  ] as const)(
    'is %s to every request, uses no wish of the test up, and ends',
    async (how, seen) => {
      await using provider = await startProvider()
      provider.next({ status: 418 })
      await provider.die(how)
      expect(provider.outage).toBe(how)
      const { port } = provider
      expect(await rawRequest({ port, send, timeoutMs: 300 })).toMatchObject(seen)
      expect(provider.hits).toBe(1)
      await provider.recover()
      expect(provider.outage).toBeUndefined()
      expect((await rawRequest({ port, send })).response.status).toBe(418)
    },
  )

  it('may begin and end in any order', async () => {
    await using provider = await startProvider()
    void provider.die('refuse')
    await provider.recover()
    expect((await rawRequest({ port: provider.port, send })).response.status).toBe(200)
    await provider.die()
    await provider.die()
    await provider.recover()
    await provider.recover()
    expect((await rawRequest({ port: provider.port, send })).response.status).toBe(200)
    await provider.die()
  })
})
