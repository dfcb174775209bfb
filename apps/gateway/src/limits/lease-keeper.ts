import type { Lease } from '@tidegate/rate-limit'
import { RENEW_MS } from '../config/limit-rules.ts'

/** How often the leases are looked over: renewals are spread by when the leases began. */
const LOOK_MS = 2_000

/**
 * Keeps what is held alive for as long as its requests last: one timer for all of them. What a gateway
 * that crashed held isn't renewed any more, and lapses.
 */
export class LeaseKeeper {
  readonly #now: () => number
  /** By when each is to be renewed; in this order, as all are renewed after the same time. */
  readonly #due = new Map<Lease<string>, number>()
  readonly #onError: (error: unknown) => void
  #timer: NodeJS.Timeout | undefined

  constructor(onError: (error: unknown) => void, now: () => number = () => performance.now()) {
    this.#onError = onError
    this.#now = now
  }

  /** How many are kept. */
  get size(): number {
    return this.#due.size
  }

  keep(lease: Lease<string>): void {
    this.#due.set(lease, this.#now() + RENEW_MS)
    this.#timer ??= setInterval(() => this.#renew(), LOOK_MS).unref()
  }

  /** Of what is reserved, `actual` was used. */
  settle(lease: Lease<string>, actual: number, policy: string | undefined): void {
    lease.settle(actual, policy).catch(this.#onError)
  }

  /** Frees the slots of a lease, whose tokens are still to be settled. */
  free(lease: Lease<string>): void {
    lease.free().catch(this.#onError)
  }

  /** Lets go of a lease: its slots are free, and what it reserved stays as it was settled. */
  end(lease: Lease<string>): void {
    this.#due.delete(lease)
    lease.release().catch(this.#onError)
    if (this.#due.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #renew(): void {
    const now = this.#now()
    for (const [lease, at] of this.#due) {
      if (at > now) return
      this.#due.delete(lease)
      this.#due.set(lease, now + RENEW_MS)
      lease.renew().catch(this.#onError)
    }
  }
}
