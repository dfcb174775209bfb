import { createSocket, type Socket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createDnsDiscovery } from './dns-discovery.ts'

type Answer = { readonly type: number; readonly data: Buffer }
const A = 1
const AAAA = 28
const SRV = 33

/** A name server on a real socket that knows what a test tells it, and NXDOMAIN for the rest. */
let zone: Map<string, Answer[]>
let server: Socket
let resolver: Resolver

beforeEach(async () => {
  zone = new Map()
  server = createSocket('udp4')
  server.on('message', (query, client) => server.send(respond(query), client.port, client.address))
  await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve))
  resolver = new Resolver({ timeout: 1000, tries: 1 })
  resolver.setServers([`127.0.0.1:${(server.address() as AddressInfo).port}`])
})

afterEach(() => {
  server.close()
})

function respond(query: Buffer): Buffer {
  const labels: string[] = []
  let at = 12
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += length + 1
  }
  const type = query.readUInt16BE(at + 1)
  const known = zone.get(labels.join('.'))
  const answers = (known ?? []).filter((answer) => answer.type === type)
  const header = Buffer.alloc(12)
  query.copy(header, 0, 0, 2)
  header.writeUInt16BE(known === undefined ? 0x8183 : 0x8180, 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(answers.length, 6)
  const records = answers.map(({ data }) => {
    const fixed = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 1, 0, data.length])
    return Buffer.concat([fixed, data])
  })
  return Buffer.concat([header, query.subarray(12, at + 5), ...records])
}

const v4 = (address: string): Answer => ({
  type: A,
  data: Buffer.from(address.split('.').map(Number)),
})
const srv = (priority: number, weight: number, port: number, target: string): Answer => {
  const fixed = Buffer.alloc(6)
  fixed.writeUInt16BE(priority, 0)
  fixed.writeUInt16BE(weight, 2)
  fixed.writeUInt16BE(port, 4)
  const labels = target === '' ? [] : target.split('.')
  const name = labels.map((label) => Buffer.from([label.length, ...Buffer.from(label)]))
  return { type: SRV, data: Buffer.concat([fixed, ...name, Buffer.from([0])]) }
}
const { signal } = new AbortController()

describe('createDnsDiscovery', () => {
  it('makes an endpoint of each address, and keeps the name for Host and TLS', async () => {
    const v6 = Buffer.alloc(16)
    v6[0] = 0xfd
    v6[15] = 9
    zone.set('svc.internal', [v4('10.0.0.1'), v4('10.0.0.2'), { type: AAAA, data: v6 }])
    const discover = createDnsDiscovery({ url: 'https://svc.internal:8443/base', resolver })
    expect(await discover(signal)).toEqual([
      { url: 'https://10.0.0.1:8443/base', host: 'svc.internal:8443' },
      { url: 'https://10.0.0.2:8443/base', host: 'svc.internal:8443' },
      { url: 'https://[fd00::9]:8443/base', host: 'svc.internal:8443' },
    ])
    expect(discover.refreshMs).toBe(30_000)
  })

  it('makes an endpoint of each SRV record, with its priority and a weight above 0', async () => {
    zone.set('_http._tcp.api.internal', [
      srv(10, 60, 8080, 'a.internal'),
      srv(10, 0, 8081, 'b.internal'),
      srv(20, 5, 80, 'backup.internal'),
    ])
    const discover = createDnsDiscovery({ srv: '_http._tcp.api.internal', resolver, path: '/v1' })
    expect(await discover(signal)).toEqual([
      { url: 'http://a.internal:8080/v1', weight: 60, priority: 10 },
      { url: 'http://b.internal:8081/v1', weight: 0.05, priority: 10 },
      { url: 'http://backup.internal/v1', weight: 5, priority: 20 },
    ])
  })

  it('weighs records alike that all weigh 0, and takes the root for no service', async () => {
    zone.set('_a._tcp.x', [srv(0, 0, 1, 'a'), srv(0, 0, 2, 'b')])
    zone.set('_b._tcp.x', [srv(0, 0, 0, '')])
    const weights = await createDnsDiscovery({ srv: '_a._tcp.x', resolver })(signal)
    expect(weights.map(({ weight }) => weight)).toEqual([1, 1])
    expect(await createDnsDiscovery({ srv: '_b._tcp.x', resolver })(signal)).toEqual([])
  })

  it('fails when the name is unknown or the server is silent', async () => {
    const unknown = createDnsDiscovery({ url: 'http://nobody.internal', resolver })
    await expect(unknown(signal)).rejects.toMatchObject({ code: 'ENOTFOUND' })
    const service = createDnsDiscovery({ srv: '_no._tcp.internal', resolver })
    await expect(service(signal)).rejects.toMatchObject({ code: 'ENOTFOUND' })
  })

  it("asks the system's resolver by default, with its hosts file", async () => {
    const found = await createDnsDiscovery({ url: 'http://localhost:99' })(signal)
    const urls = found.map(({ url }) => url)
    expect(urls.some((url) => /^http:\/\/(127\.0\.0\.1|\[::1\]):99\/$/.test(url))).toBe(true)
  })

  it('takes an address for itself', async () => {
    const discover = createDnsDiscovery({ url: 'http://[::1]:9/x', resolver, refreshMs: 5 })
    expect([await discover(signal), discover.refreshMs]).toEqual([[{ url: 'http://[::1]:9/x' }], 5])
  })

  it.each(['nonsense', 'ftp://host', 'http://user:secret@host', 'http://host?key=secret'])(
    'refuses %s',
    (url) => {
      expect(() => createDnsDiscovery({ url })).toThrow(TypeError)
      expect(() => createDnsDiscovery({ url })).not.toThrow(/secret/)
    },
  )
})
