import { describe, expect, it } from 'vitest'
import type { InstallSurroundings } from './binaries.ts'
import { installMissing } from './install-missing.ts'

/** A machine that has some programs, and what became of it. */
function machine(programs: readonly string[], changes: Partial<InstallSurroundings> = {}) {
  const installed: string[] = []
  const said: string[] = []
  const surroundings: InstallSurroundings = {
    isRoot: true,
    find: (wanted) => wanted.find((program) => programs.includes(program)) ?? null,
    install: async (packages) => void installed.push(packages),
    say: (text) => said.push(text),
    ...changes,
  }
  return { installed, said, surroundings }
}

const servers = ['redis-server', 'postgres', 'openssl', 'prometheus']

describe('installMissing', () => {
  it('installs all that is missing in one go, and says so', async () => {
    const { installed, said, surroundings } = machine(['apt-get', 'valkey-server', 'openssl'])
    await installMissing(surroundings)
    expect(installed).toEqual(['postgresql prometheus chromium'])
    expect(said[0]).toContain('postgresql prometheus chromium')
  })

  it.each([
    ['on a machine that has everything', machine([...servers, 'apt-get', 'chromium'])],
    ['for someone who is not root', machine(['apt-get'], { isRoot: false })],
    ['without apt', machine(servers)],
  ])('does nothing %s', async (_, { installed, said, surroundings }) => {
    await installMissing(surroundings)
    expect([...installed, ...said]).toEqual([])
  })

  it('leaves it to the tests when the installation fails', async () => {
    const install = () => Promise.reject(new Error('offline'))
    const { said, surroundings } = machine(['apt-get'], { install })
    await installMissing(surroundings)
    expect(said.at(-1)).toContain('offline')
  })
})
