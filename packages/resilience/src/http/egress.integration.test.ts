import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type LookupFunction } from 'node:net'
import { makeCertificates } from '@tidegate/testkit'
import { Pool } from 'undici'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createEgress, type EgressOptions } from './egress.ts'

let server: Server
let port: number
let connections = 0

beforeAll(async () => {
  server = createServer((request, response) => response.end(request.headers.host))
  server.on('connection', () => {
    connections += 1
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})

afterAll(() => {
  server.closeAllConnections()
  server.close()
})

/** A resolver that gives its answers in turn, the last one for ever. */
function answering(...answers: string[][]): LookupFunction & { asked: number } {
  const lookup = (
    _name: string,
    options: { all?: boolean | undefined },
    callback: Parameters<LookupFunction>[2],
  ) => {
    const addresses = answers[Math.min(lookup.asked, answers.length - 1)] ?? []
    lookup.asked += 1
    const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
    queueMicrotask(() =>
      options.all
        ? callback(null, found)
        : callback(null, found[0]?.address ?? '', found[0]?.family),
    )
  }
  lookup.asked = 0
  return lookup
}

async function get(host: string, options: EgressOptions, lookup?: LookupFunction): Promise<string> {
  const connect = createEgress(options).connector(lookup === undefined ? {} : { lookup })
  const pool = new Pool(`http://${host}:${port}`, { connect, allowH2: false })
  try {
    const { body } = await pool.request({ path: '/', method: 'GET' })
    return await body.text()
  } finally {
    await pool.destroy()
  }
}

const denied = (rule: string) => expect.objectContaining({ code: 'egress_denied', rule })

describe('createEgress', () => {
  it('judges what a name resolves to, and connects to nothing that is refused', async () => {
    const before = connections
    await expect(get('rebound.example', {}, answering(['127.0.0.1']))).rejects.toEqual(
      denied('loopback'),
    )
    await expect(get('localhost', {})).rejects.toEqual(denied('loopback'))
    expect(connections).toBe(before)
  })

  it('refuses an answer that mixes public and internal addresses', async () => {
    const lookup = answering(['8.8.8.8', '127.0.0.1'])
    await expect(get('mixed.example', {}, lookup)).rejects.toEqual(denied('loopback'))
  })

  it('refuses what is no address in an answer', async () => {
    const lookup = answering(['not an address'])
    await expect(get('odd.example', {}, lookup)).rejects.toEqual(denied('host'))
  })

  it('connects to the address that it judged: a name that changes its answer gains nothing', async () => {
    const lookup = answering(['127.0.0.1'], ['10.255.255.1'])
    expect(await get('a.example', { allow: ['127.0.0.1'] }, lookup)).toBe(`a.example:${port}`)
    expect(lookup.asked).toBe(1)
    await expect(get('a.example', { allow: ['127.0.0.1'] }, lookup)).rejects.toEqual(
      denied('private'),
    )
  })

  it('lets a name open internal addresses at its port alone, and metadata never', async () => {
    const allow = [`svc.internal:${port}`]
    expect(await get('svc.internal', { allow }, answering(['127.0.0.1']))).toContain('svc.internal')
    expect(await get('SVC.internal.', { allow }, answering(['127.0.0.1']))).toContain(
      'svc.internal',
    )
    const elsewhere = { allow: ['svc.internal:1'] }
    const refusals: [string, EgressOptions, string, string][] = [
      ['svc.internal', elsewhere, '127.0.0.1', 'loopback'],
      ['other.internal', { allow }, '127.0.0.1', 'loopback'],
      ['svc.internal', { allow }, '169.254.169.254', 'metadata'],
      ['svc.internal', { allow }, '0.0.0.0', 'unspecified'],
      ['svc.internal', { allow }, '::ffff:127.0.0.1', 'transition'],
      ['svc.internal', { public: 'deny' }, '8.8.8.8', 'public'],
    ]
    for (const [host, options, address, rule] of refusals) {
      await expect(get(host, options, answering([address]))).rejects.toEqual(denied(rule))
    }
  })

  it('judges literal addresses, which no resolver sees, and protocols', async () => {
    for (const host of ['127.0.0.1', '2130706433', '0x7f.1', '[::1]', '[::ffff:7f00:1]']) {
      await expect(get(host, {})).rejects.toMatchObject({ code: 'egress_denied' })
    }
    await expect(get('127.0.0.1', { protocols: ['https'] })).rejects.toEqual(denied('protocol'))
    expect(await get('127.0.0.1', { private: 'allow' })).toBe(`127.0.0.1:${port}`)
  })

  it('keeps the name for TLS: the certificate is checked against it, not against the address', async () => {
    await using certificates = await makeCertificates()
    const tls = createTlsServer({ cert: certificates.cert, key: certificates.key }, (_, response) =>
      response.end('whole'),
    )
    await new Promise<void>((resolve) => tls.listen(0, '127.0.0.1', resolve))
    const tlsPort = (tls.address() as AddressInfo).port
    const connect = createEgress({ private: 'allow' }).connector({
      ca: certificates.ca,
      lookup: answering(['127.0.0.1']),
    })
    const request = async (host: string): Promise<string> => {
      const pool = new Pool(`https://${host}:${tlsPort}`, { connect, allowH2: false })
      const { body } = await pool.request({ path: '/', method: 'GET' })
      const text = await body.text()
      await pool.destroy()
      return text
    }
    try {
      expect(await request('localhost')).toBe('whole')
      await expect(request('stranger.example')).rejects.toMatchObject({
        code: 'ERR_TLS_CERT_ALTNAME_INVALID',
      })
    } finally {
      tls.closeAllConnections()
      tls.close()
    }
  })

  it('passes on what went wrong with a connection that is permitted', async () => {
    const closed = createTcpServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => closed.once('listening', resolve))
    const free = (closed.address() as AddressInfo).port
    await new Promise((resolve) => closed.close(resolve))
    const connect = createEgress({ private: 'allow' }).connector()
    const pool = new Pool(`http://127.0.0.1:${free}`, { connect })
    await expect(pool.request({ path: '/', method: 'GET' })).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    })
    const failing: LookupFunction = (_name, _options, callback) =>
      callback(Object.assign(new Error('unknown'), { code: 'ENOTFOUND' }), [])
    await expect(get('nowhere.example', {}, failing)).rejects.toMatchObject({ code: 'ENOTFOUND' })
    await pool.destroy()
  })
})
