import { type ChildProcess, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { InvalidateTarget, SetItem } from '../cache.ts'

/** A key, the version that was read, and when the reading began. */
export type Read = readonly [key: string, version: number, begunAt: number]

interface Options {
  readonly tags?: readonly string[]
  readonly user?: string
  readonly lock?: 'process' | 'cluster'
}

/** Reads keys in turn until it is told to rest. */
export interface Load {
  readonly keys: readonly string[]
  readonly options: Options
}

/** What a process is told to do. */
export type Order =
  | { readonly do: 'get'; readonly key: string; readonly options: Options }
  | { readonly do: 'gets'; readonly key: string; readonly times: number; readonly options: Options }
  | { readonly do: 'set'; readonly items: SetItem[] }
  | ({ readonly do: 'load' } & Load)
  | { readonly do: 'rest' }
  /** Is done when so many more reads of the load are. */
  | { readonly do: 'read'; readonly times: number }
  | { readonly do: 'invalidate'; readonly target: InvalidateTarget }
  | { readonly do: 'clear' }
  | { readonly do: 'stats' }

/** What a process says. */
export type Told =
  | { readonly type: 'ready' }
  | { readonly type: 'make'; readonly id: number; readonly key: string }
  | { readonly type: 'event'; readonly event: 'l2_away' | 'recovered'; readonly at: number }
  | { readonly type: 'done'; readonly id: number; readonly result: unknown }
  | { readonly type: 'failed'; readonly id: number; readonly error: string }

/** A value from the database. */
export interface Answer {
  readonly id: number
  readonly version: number
}

/** Half a minute of them. */
const MOST_TRIES = 500

const script = fileURLToPath(new URL('./worker.fixture.ts', import.meta.url))

/** One process of a fleet. */
export class Member {
  /** When the second tier was away for it; `until` is infinite while it is. */
  readonly away: { from: number; until: number }[] = []
  readonly ready: Promise<void>
  readonly #child: ChildProcess
  readonly #done = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>()
  #orders = 0

  constructor(fleet: Fleet, ports: readonly number[], name: string) {
    this.#child = fork(script, [ports.join(','), name], { stdio: 'inherit', execArgv: [] })
    this.ready = new Promise((resolve, reject) => {
      this.#child.once('exit', (code) => {
        const error = new Error(`a process of the fleet has ended by itself with ${code}`)
        reject(error)
        for (const order of this.#done.values()) order.reject(error)
      })
      this.#child.on('message', (told: Told) => {
        if (told.type === 'ready') resolve()
        else if (told.type === 'make')
          void fleet.make(told.key).then((version) => this.#child.send({ id: told.id, version }))
        else if (told.type === 'event') this.#note(told.event, told.at)
        else this.#settle(told)
      })
    })
  }

  async do<T>(order: Order): Promise<T> {
    this.#orders += 1
    const id = this.#orders
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    this.#done.set(id, { resolve, reject })
    this.#child.send({ id, order })
    return (await promise) as T
  }

  async end(): Promise<void> {
    const exit = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.disconnect()
    await exit
  }

  #note(event: 'l2_away' | 'recovered', at: number): void {
    if (event === 'l2_away') this.away.push({ from: at, until: Number.POSITIVE_INFINITY })
    else for (const one of this.away) one.until = Math.min(one.until, at)
  }

  #settle(told: Extract<Told, { id: number }>): void {
    const order = this.#done.get(told.id)
    this.#done.delete(told.id)
    if (told.type === 'done') order?.resolve(told.result)
    else if (told.type === 'failed') order?.reject(new Error(told.error))
  }
}

/** Several processes with a cache each, and the database that their values come from. */
export class Fleet implements AsyncDisposable {
  readonly members: readonly Member[]
  /** How often a value was made, for each key. */
  readonly made = new Map<string, number>()
  readonly versions = new Map<string, number>()
  /** How long the database takes, after it has read. */
  makingMs = 5
  /** While set, what the database has read isn't given. */
  gate: Promise<void> | undefined

  constructor(ports: readonly number[], count: number, name: string) {
    this.members = Array.from({ length: count }, () => new Member(this, ports, name))
  }

  static async start(ports: readonly number[], count: number, name: string): Promise<Fleet> {
    const fleet = new Fleet(ports, count, name)
    await Promise.all(fleet.members.map(({ ready }) => ready))
    for (const member of fleet.members) await fleet.#sharesWithAll(member)
    fleet.made.clear()
    return fleet
  }

  /** A cache believes others' entries once all listen, and a Cluster's client may still be connecting then. */
  async #sharesWithAll(maker: Member): Promise<void> {
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const get = { do: 'get', key: `shared ${randomUUID()}`, options: {} } as const
      await maker.do(get)
      await this.everybody(get)
      if (this.made.get(get.key) === 1) return
      await sleep(50)
    }
    throw new Error('The processes of the fleet do not share.')
  }

  async make(key: string): Promise<number> {
    this.made.set(key, (this.made.get(key) ?? 0) + 1)
    const version = this.versions.get(key) ?? 0
    await sleep(this.makingMs)
    await this.gate
    return version
  }

  change(...keys: readonly string[]): void {
    for (const key of keys) this.versions.set(key, (this.versions.get(key) ?? 0) + 1)
  }

  async everybody<T>(order: Order): Promise<T[]> {
    return await Promise.all(this.members.map((member) => member.do<T>(order)))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.members.map((member) => member.end()))
  }
}
