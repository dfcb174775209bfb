import { describe, expect, it } from 'vitest'
import { parseConnectionString } from './connection-string.ts'

describe('parseConnectionString', () => {
  it.each([
    ['mongodb://localhost', [{ host: 'localhost', port: 27_017 }]],
    [
      'mongodb://a,b:27018,[::1]:3/',
      ['a', 'b', '::1'].map((host, at) => ({ host, port: [27_017, 27_018, 3][at] })),
    ],
    ['mongodb://ada:p%40ss@db.example:1/shop?authSource=admin', [{ host: 'db.example', port: 1 }]],
    ['mongodb://ada:p@ss@db/', [{ host: 'db', port: 27_017 }]],
    ['mongodb://%2Ftmp%2Fmongodb-27017.sock/x', [{ path: '/tmp/mongodb-27017.sock' }]],
  ])('finds the members of %s', (uri, members) => {
    expect(parseConnectionString(uri).members).toEqual(members)
  })

  it('turns TLS on when told to, and for mongodb+srv', () => {
    const tls = (uri: string) => parseConnectionString(uri).tls
    expect([tls('mongodb://h'), tls('mongodb://h/?tls=true'), tls('mongodb://h?ssl=true')]).toEqual(
      [false, true, true],
    )
    const srv = 'mongodb+srv://ada:x@db.shop.example/a'
    expect([tls(srv), tls(`${srv}?tls=false`)]).toEqual([true, false])
    expect(parseConnectionString(`${srv}?srvServiceName=other`)).toMatchObject({
      ...{ members: [], srv: { host: 'db.shop.example', service: 'other' }, verify: true },
    })
    expect(
      parseConnectionString('mongodb://h/?tlsInsecure=true&tlsCAFile=%2Fca.pem&loadBalanced=true'),
    ).toMatchObject({ verify: false, caFile: '/ca.pem', loadBalanced: true })
  })

  it.each([
    'hunter2',
    'http://ada:hunter2@h',
    'mongodb://',
    'mongodb://ada:hunter2@',
    'mongodb://ada:hunter2@h:0',
    'mongodb://ada:hunter2@h:99999',
    'mongodb://ada:hunter2/x@h',
    'mongodb+srv://ada:hunter2@db.example:27017',
    'mongodb+srv://ada:hunter2@localhost',
    'mongodb+srv://ada:hunter2@a.example,b.example',
  ])('refuses %s without showing it', (uri) => {
    expect(() => parseConnectionString(uri)).toThrow(/^mongodbCheck: uri is (?!.*hunter2)/)
  })
})
