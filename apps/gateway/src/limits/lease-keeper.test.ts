import type { Lease } from '@tidegate/rate-limit'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { RENEW_MS } from '../config/limit-rules.ts'
import { LeaseKeeper } from './lease-keeper.ts'

class FakeLease implements Lease {
  readonly id = 'x'
  readonly calls: string[] = []
  fails = false

  renew = () => this.#note('renew')
  settle = (actual: number) => this.#note(`settle ${actual}`)
  refund = () => this.#note('refund')
  free = () => this.#note('free')
  release(): Promise<boolean> {
    return this.#note('release')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release()
  }

  async #note(call: string): Promise<boolean> {
    this.calls.push(call)
    if (this.fails) throw new Error('the store is away')
    return true
  }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('LeaseKeeper', () => {
  it('renews each lease by itself, with one timer that ends with the last of them', async () => {
    const keeper = new LeaseKeeper(() => undefined)
    const [one, two] = [new FakeLease(), new FakeLease()]
    keeper.keep(one)
    await vi.advanceTimersByTimeAsync(0.75 * RENEW_MS)
    keeper.keep(two)
    expect(vi.getTimerCount()).toBe(1)
    await vi.advanceTimersByTimeAsync(0.5 * RENEW_MS)
    expect([one.calls, two.calls]).toEqual([['renew'], []])
    await vi.advanceTimersByTimeAsync(3 * RENEW_MS)
    expect(one.calls.length).toBeGreaterThanOrEqual(3)
    expect(two.calls.length).toBeGreaterThanOrEqual(2)
    keeper.end(one)
    expect(one.calls.at(-1)).toBe('release')
    expect(keeper.size).toBe(1)
    keeper.end(two)
    expect([keeper.size, vi.getTimerCount()]).toEqual([0, 0])
  })

  it('renews soon after it is due', async () => {
    const keeper = new LeaseKeeper(() => undefined)
    const lease = new FakeLease()
    keeper.keep(lease)
    await vi.advanceTimersByTimeAsync(1.25 * RENEW_MS)
    expect(lease.calls).toEqual(['renew'])
    keeper.end(lease)
  })

  it('tells what failed, and goes on', async () => {
    const errors: unknown[] = []
    const keeper = new LeaseKeeper((error) => errors.push(error))
    const lease = new FakeLease()
    lease.fails = true
    keeper.keep(lease)
    await vi.advanceTimersByTimeAsync(2.5 * RENEW_MS)
    keeper.settle(lease, 5, 'tokens')
    keeper.end(lease)
    await vi.advanceTimersByTimeAsync(0)
    expect(lease.calls).toEqual(['renew', 'renew', 'settle 5', 'release'])
    expect(errors).toHaveLength(4)
  })

  it('goes on renewing a lease whose slots are free until its tokens are settled', async () => {
    const keeper = new LeaseKeeper(() => undefined)
    const lease = new FakeLease()
    keeper.keep(lease)
    keeper.free(lease)
    await vi.advanceTimersByTimeAsync(1.25 * RENEW_MS)
    keeper.settle(lease, 5, 'tokens')
    keeper.end(lease)
    expect(lease.calls).toEqual(['free', 'renew', 'settle 5', 'release'])
    expect([keeper.size, vi.getTimerCount()]).toEqual([0, 0])
  })
})
