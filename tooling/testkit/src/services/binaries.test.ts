import { describe, expect, it } from 'vitest'
import { findProgram, type InstallSurroundings, requireProgram } from './binaries.ts'

const requirement = { programs: ['redis-server', 'valkey-server'], debianPackage: 'redis-server' }

/** A machine that has some programs, and gets `redis-server` with its package. */
function machine(programs: string[], changes: Partial<InstallSurroundings> = {}) {
  const said: string[] = []
  const surroundings: InstallSurroundings = {
    isRoot: true,
    find: (wanted) => wanted.find((program) => programs.includes(program)) ?? null,
    install: async (name) => void programs.push(name),
    say: (text) => said.push(text),
    ...changes,
  }
  return { said, surroundings }
}

describe('requireProgram', () => {
  it('takes what is there', async () => {
    const { surroundings, said } = machine(['valkey-server'])
    expect(await requireProgram(requirement, surroundings)).toBe('valkey-server')
    expect(said).toEqual([])
  })

  it('installs what is missing, and says so', async () => {
    const { surroundings, said } = machine(['apt-get'])
    expect(await requireProgram(requirement, surroundings)).toBe('redis-server')
    expect(said[0]).toContain("installing Debian's package redis-server")
  })

  it.each([
    ['someone who is not root', machine(['apt-get'], { isRoot: false }), 'sudo sh -c'],
    ['a machine without apt', machine([]), 'apt-get install'],
    [
      'an installation that fails',
      machine(['apt-get'], { install: () => Promise.reject(new Error('offline')) }),
      'Installing redis-server failed',
    ],
    [
      'a package without the program',
      machine(['apt-get'], { install: async () => undefined }),
      'has no redis-server or valkey-server',
    ],
  ])('tells %s what to do', async (_, { surroundings }, message) => {
    await expect(requireProgram(requirement, surroundings)).rejects.toThrow(message)
  })
})

describe('findProgram', () => {
  it('looks through the PATH', () => {
    expect(findProgram(['no-such-program', 'sh'], '/nowhere:/bin')).toBe('/bin/sh')
    expect(findProgram(['no-such-program'])).toBeNull()
  })
})
