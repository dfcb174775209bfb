import { describe, expect, it } from 'vitest'
import { parseConnectionString } from './connection-string.ts'
import { findMembers } from './members.ts'

const { signal } = new AbortController()

function resolving(names: readonly string[], text: readonly (readonly string[])[] = []) {
  const asked: string[] = []
  return {
    asked,
    resolveSrv: async (name: string) => {
      asked.push(name)
      return names.map((each) => ({ name: each, port: 27_017 }))
    },
    resolveTxt: async () => text,
  }
}

const find = (uri: string, resolver: ReturnType<typeof resolving>) =>
  findMembers(parseConnectionString(uri), signal, resolver)

describe('findMembers', () => {
  it('asks DNS for the members of mongodb+srv, and whether they are behind a balancer', async () => {
    const resolver = resolving(
      ['s1.shop.Example.', 's2.shop.example'],
      [['authSource=admin&', 'loadBalanced=true']],
    )
    expect(await find('mongodb+srv://db.shop.example/', resolver)).toEqual({
      members: ['s1.shop.Example', 's2.shop.example'].map((host) => ({ host, port: 27_017 })),
      loadBalanced: true,
    })
    expect(resolver.asked).toEqual(['_mongodb._tcp.db.shop.example'])
  })

  it('believes no members of another domain, and no empty list', async () => {
    const uri = 'mongodb+srv://db.shop.example/'
    for (const names of [['evil.example'], ['s1.shop.example', 'evilshop.example'], []]) {
      await expect(find(uri, resolving(names))).rejects.toMatchObject({ code: 'srv' })
    }
    const short = 'mongodb+srv://shop.example/'
    await expect(find(short, resolving(['other.example']))).rejects.toMatchObject({ code: 'srv' })
    expect((await find(short, resolving(['a.shop.example']))).members).toHaveLength(1)
  })

  it('asks DNS nothing for what is named', async () => {
    const resolver = resolving([])
    expect((await find('mongodb://a,b', resolver)).members).toHaveLength(2)
    expect(resolver.asked).toEqual([])
  })
})
