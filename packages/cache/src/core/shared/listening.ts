import type { Target } from '../coherence.ts'
import type { CacheBus } from '../driver.ts'
import { matcher } from '../match.ts'
import { ALL } from '../reserved.ts'
import { askEpochs, type Said } from './believing.ts'
import type { Leaders } from './leader.ts'
import type { Message, Messages } from './messages.ts'
import type { Asking, Parts } from './parts.ts'

/** Hears what other processes changed, and knows whether it may have missed something. */
export class Listening {
  readonly #parts: Parts
  readonly #bus: CacheBus | undefined
  readonly #messages: Messages
  readonly #leaders: Leaders
  #state: 'silent' | 'deaf' | 'listening' | 'closed'
  #generation = 0
  #begun = false
  #end: Promise<(() => Promise<void>) | undefined> | undefined

  constructor(parts: Parts, bus: CacheBus | undefined, messages: Messages, leaders: Leaders) {
    this.#parts = parts
    this.#bus = bus
    this.#messages = messages
    this.#leaders = leaders
    this.#state = bus === undefined ? 'silent' : 'deaf'
  }

  /**
   * Grows whenever messages may have been missed; while none come, with every look: then the second tier
   * decides each time, if there is one.
   */
  get generation(): number {
    if (this.#state === 'deaf' && this.#parts.outage.up) this.#generation += 1
    return this.#generation
  }

  start(): void {
    this.#end = this.#bus && this.#subscribe(this.#bus)
  }

  /** Learns what was there before the listening began. Rejects when the second tier does. */
  async catchUp(ask: Asking): Promise<void> {
    if (this.#state !== 'listening' || this.#parts.epochs.sure) return
    const { driver, names, epochs, matches } = this.#parts
    const { stretch } = epochs
    const since = await ask(() => driver.now())
    const said: Said = new Map()
    const [, [records]] = await Promise.all([
      askEpochs(this.#parts, [ALL], said, ask),
      ask(() => driver.read([names.records])),
    ])
    matches.learn(records)
    epochs.begin(since, stretch)
  }

  async close(): Promise<void> {
    this.#state = 'closed'
    const end = await this.#end
    await end?.()
  }

  async #subscribe(bus: CacheBus): Promise<(() => Promise<void>) | undefined> {
    let told = false
    const onReset = (state: 'lost' | 'back') => {
      told = true
      this.#reset(state)
    }
    try {
      const onMessage = (text: string) => this.#hear(text)
      const end = await bus.subscribe({ onMessage, onReset })
      // Without a word of it being lost it listens now.
      if (!told) this.#reset('back')
      return end
    } catch (error) {
      this.#parts.emit({ type: 'l2_error', error })
      return undefined
    }
  }

  #reset(state: 'lost' | 'back'): void {
    if (this.#state === 'closed') return
    const { epochs, emit } = this.#parts
    const was = this.#state
    this.#generation += 1
    epochs.reset()
    this.#state = state === 'lost' ? 'deaf' : 'listening'
    if (was === this.#state) return
    if (state === 'lost') emit({ type: 'bus_lost' })
    else if (this.#begun) emit({ type: 'bus_back' })
    this.#begun = true
    if (state === 'back' && this.#parts.outage.up) this.#catchUpSoon()
  }

  #catchUpSoon(): void {
    const { outage } = this.#parts
    // Until it has, each look asks for what it needs; an outage is followed by another attempt.
    this.catchUp((call) => outage.ask(call)).catch(() => undefined)
  }

  #hear(text: string): void {
    const received = this.#messages.decode(text)
    if (received === undefined || this.#state === 'closed') return
    if (received.latest > this.#parts.epochs.latest) this.#parts.outdateNumber()
    this.#apply(received.message)
  }

  #apply(message: Message): void {
    const { epochs, matches } = this.#parts
    if (message.type === 'keys') this.#keysChanged(message.keys)
    else if (message.type === 'freed') this.#leaders.done(message.key)
    else if (message.type === 'tag') {
      const { tag, epoch, match } = message
      epochs.hear(tag, epoch)
      if (match !== undefined) this.#drop({ match, tag })
      else this.#parts.firstTier.drop({ tag })
    } else {
      matches.add(message.record)
      this.#drop({ match: message.record.match })
    }
  }

  #keysChanged(changed: readonly (readonly [string, string | undefined])[]): void {
    const { watched, firstTier } = this.#parts
    const keys: string[] = []
    const stored = new Map<string, string>()
    for (const [key, stamp] of changed) {
      watched.change(key)
      this.#leaders.done(key)
      // What was read from the second tier may be there before word of it is.
      if (stamp === undefined || firstTier.get(key)?.stamp !== stamp) keys.push(key)
      if (stamp !== undefined) stored.set(key, stamp)
    }
    if (keys.length > 0) firstTier.drop({ keys }, stored)
  }

  #drop(target: Extract<Target, { match: unknown }>): void {
    this.#parts.watched.changeAll(matcher(target.match))
    this.#parts.firstTier.drop(target)
  }
}
