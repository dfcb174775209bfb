import { describe, expect, it } from 'vitest'
import { type Block, FailureGuard } from './failure-guard.ts'

const settings = { limit: 3, windowMs: 60_000, blockMs: 300_000 }

function setUp() {
  const clock = { now: 1_000_000 }
  const blocks: Block[] = []
  const guard = new FailureGuard({
    surface: 'routes',
    settings,
    now: () => clock.now,
    onBlock: (block) => blocks.push(block),
  })
  const guess = async (ip: string, ...credentials: string[]) => {
    for (const credential of credentials) await guard.failed(ip, credential)
  }
  return { clock, blocks, guard, guess }
}

describe('FailureGuard', () => {
  it('blocks a network with its last allowed guess, for as long as it says', async () => {
    const { clock, blocks, guard, guess } = setUp()
    await guess('192.0.2.1', 'a', 'b')
    expect(guard.blockedFor('192.0.2.1')).toBe(0)
    await guess('192.0.2.1', 'c')
    expect(guard.blockedFor('192.0.2.1')).toBe(300_000)
    expect(blocks).toEqual([
      { surface: 'routes', network: '192.0.2.1', failures: 3, blockMs: 300_000 },
    ])
    clock.now += 299_999
    expect(guard.blockedFor('192.0.2.1')).toBe(1)
    clock.now += 1
    expect(guard.blockedFor('192.0.2.1')).toBe(0)
  })

  it('leaves other addresses alone, and takes a /56 of IPv6 for one', async () => {
    const { guard, guess } = setUp()
    await guess('192.0.2.1', 'a', 'b', 'c')
    expect(guard.blockedFor('192.0.2.2')).toBe(0)
    expect(guard.blockedFor('::ffff:192.0.2.1')).toBeGreaterThan(0)
    await guess('2001:db8:1:201::1', 'a')
    await guess('2001:db8:1:2ff::1', 'b')
    await guess('2001:db8:1:280::9', 'c')
    expect(guard.blockedFor('2001:db8:1:200::7')).toBeGreaterThan(0)
    expect(guard.blockedFor('2001:db8:1:300::7')).toBe(0)
  })

  it('does not take the same wrong credential for another guess', async () => {
    const { guard, guess } = setUp()
    await guess('192.0.2.1', ...Array<string>(100).fill('revoked'))
    expect(guard.blockedFor('192.0.2.1')).toBe(0)
    await guess('192.0.2.1', 'b', 'c')
    expect(guard.blockedFor('192.0.2.1')).toBeGreaterThan(0)
  })

  it('forgets guesses that are further apart than its window', async () => {
    const { clock, guard, guess } = setUp()
    for (const credential of ['a', 'b', 'c', 'd']) {
      await guess('192.0.2.1', credential)
      clock.now += 30_000
    }
    expect(guard.blockedFor('192.0.2.1')).toBe(0)
  })

  it('knows who was right at a network within the last hour, and there alone', () => {
    const { clock, guard } = setUp()
    guard.succeeded('192.0.2.1', 'key:ada')
    expect(guard.knows('192.0.2.1', 'key:ada')).toBe(true)
    expect(guard.knows('192.0.2.2', 'key:ada')).toBe(false)
    expect(guard.knows('192.0.2.1', 'jwt:ada')).toBe(false)
    clock.now += 3_599_999
    expect(guard.knows('192.0.2.1', 'key:ada')).toBe(true)
    clock.now += 1
    expect(guard.knows('192.0.2.1', 'key:ada')).toBe(false)
  })

  it('learns of a block elsewhere from a store that is shared', async () => {
    const { memoryStore } = await import('@tidegate/rate-limit')
    const store = memoryStore()
    const parts = { settings, store, now: () => 1_000_000, onBlock: () => undefined }
    const [one, other, admin] = [
      new FailureGuard({ ...parts, surface: 'routes' }),
      new FailureGuard({ ...parts, surface: 'routes' }),
      new FailureGuard({ ...parts, surface: 'admin' }),
    ]
    for (const credential of ['a', 'b', 'c']) await one.failed('192.0.2.1', credential)
    expect(other.blockedFor('192.0.2.1')).toBe(0)
    await other.failed('192.0.2.1', 'd')
    expect(other.blockedFor('192.0.2.1')).toBe(300_000)
    await admin.failed('192.0.2.1', 'd')
    expect(admin.blockedFor('192.0.2.1')).toBe(0)
  })

  it('stays within bounds under a flood of networks', async () => {
    const { guard } = setUp()
    for (let at = 0; at < 60_000; at += 1) {
      guard.succeeded(`10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`, 'key:ada')
    }
    expect(guard.knows('10.0.0.0', 'key:ada')).toBe(false)
    expect(guard.knows('10.0.234.95', 'key:ada')).toBe(true)
  })
})
