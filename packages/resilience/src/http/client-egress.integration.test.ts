import { createServer, type Server } from 'node:http'
import type { AddressInfo, LookupFunction } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createHttpClient } from './client.ts'
import { createEgress, type Egress, type EgressOptions } from './egress.ts'

let server: Server
let port: number
let connections = 0

beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === '/moved') {
      response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data' }).end()
    } else response.end('ok')
  })
  server.on('connection', () => {
    connections += 1
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  port = (server.address() as AddressInfo).port
})

afterAll(() => {
  server.closeAllConnections()
  server.close()
})

/** Rules whose names are resolved by these answers in turn, the last one for ever. */
function resolving(options: EgressOptions, ...answers: string[]): Egress & { asked: number } {
  const egress = createEgress(options)
  const lookup: LookupFunction = (_name, { all }, callback) => {
    const address = answers[Math.min(resolved.asked, answers.length - 1)] ?? ''
    resolved.asked += 1
    queueMicrotask(() =>
      all ? callback(null, [{ address, family: 4 }]) : callback(null, address, 4),
    )
  }
  const resolved: Egress & { asked: number } = {
    check: egress.check,
    connector: (connect) => egress.connector({ ...connect, lookup }),
    asked: 0,
  }
  return resolved
}

const denied = (rule: string) => ({ code: 'egress_denied', rule })

describe('createHttpClient with egress rules', () => {
  it('connects to nothing that is refused, and does not try again', async () => {
    const before = connections
    for (const baseUrls of [`http://127.0.0.1:${port}`, `http://2130706433:${port}`]) {
      const make = () => createHttpClient({ baseUrls, egress: createEgress() })
      const attempt = async () => {
        const client = make()
        await client.get('/').finally(() => client.close())
      }
      await expect(attempt()).rejects.toMatchObject(denied('loopback'))
    }
    const egress = resolving({}, '127.0.0.1')
    const client = createHttpClient({ baseUrls: `http://name.example:${port}`, egress })
    await expect(client.get('/')).rejects.toMatchObject(denied('loopback'))
    expect([egress.asked, connections]).toEqual([1, before])
    await client.close()
  })

  it('gains nothing from a name that changes its answer after it was judged', async () => {
    const egress = resolving({ allow: [`127.0.0.1:${port}`] }, '127.0.0.1', '10.255.255.1')
    const client = createHttpClient({
      baseUrls: `http://rebound.example:${port}`,
      egress,
      connections: 1,
    })
    expect((await client.get('/', { as: 'text' })).data).toBe('ok')
    // The connection that was judged is still the same one, whatever the name says by now.
    expect((await client.get('/', { as: 'text' })).data).toBe('ok')
    expect(egress.asked).toBe(1)
    server.closeAllConnections()
    await expect(client.get('/')).rejects.toMatchObject(denied('private'))
    await client.close()
  })

  it('does not follow a redirect to what is forbidden', async () => {
    const egress = createEgress({ private: 'allow' })
    const client = createHttpClient({ baseUrls: `http://127.0.0.1:${port}`, egress })
    const { status, headers } = await client.get('/moved')
    expect([status, headers.location]).toEqual([302, 'http://169.254.169.254/latest/meta-data'])
    await client.close()
  })

  it('turns to an endpoint that is permitted, and says nothing of addresses where none is', async () => {
    const egress = createEgress({ allow: [`127.0.0.1:${port}`] })
    const client = createHttpClient({ baseUrls: 'http://127.0.0.1:1', egress })
    const error: unknown = await client.get('/').catch((thrown: unknown) => thrown)
    expect(error).toMatchObject(denied('loopback'))
    expect(String(error)).not.toContain('127.0.0.1')
    await client.close()
  })

  it('refuses what a discovery brings in', async () => {
    const found = ['http://169.254.169.254/', 'http://[::ffff:7f00:1]/', 'http://0x7f.1/']
    for (const url of found) {
      const client = createHttpClient({ baseUrls: async () => [{ url }], egress: createEgress() })
      await expect(client.get('/')).rejects.toMatchObject({ code: 'egress_denied' })
      await client.close()
    }
  })
})
