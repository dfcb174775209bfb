import type { EventsRedis, EventsScript } from './port.ts'

/**
 * Sends a read once for all who ask for the same at the same time: of many tails that a hint wakes, most stand at
 * the same point. What was asked before the last hint isn't shared with who asks after it, who would miss what the
 * hint was about.
 */
export class SharedCalls implements EventsRedis {
  readonly #redis: EventsRedis
  readonly #hints: () => number
  readonly #open = new Map<string, Promise<unknown>>()

  constructor(redis: EventsRedis, hints: () => number) {
    this.#redis = redis
    this.#hints = hints
  }

  callBuffer(name: string, ...args: readonly (string | number)[]): Promise<unknown> {
    return this.#once([name, ...args], () => this.#redis.callBuffer(name, ...args))
  }

  evaluate(
    script: EventsScript,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown> {
    return this.#once([script.sha1, ...keys, ...args], () =>
      this.#redis.evaluate(script, keys, args),
    )
  }

  #once(call: readonly (string | number)[], send: () => Promise<unknown>): Promise<unknown> {
    const name = [this.#hints(), ...call].join(' ')
    const open = this.#open.get(name)
    if (open !== undefined) return open
    const sent = send().finally(() => this.#open.delete(name))
    this.#open.set(name, sent)
    return sent
  }
}
