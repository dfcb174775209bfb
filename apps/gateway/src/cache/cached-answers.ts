import type { WarmItem } from '@tidegate/cache'
import type { Recorder } from '@tidegate/events'
import type { Context } from 'hono'
import type { AnswerHead } from '../answers/answer-head.ts'
import type { Answered } from '../answers/serve.ts'
import type { GatewayEnv } from '../env.ts'
import { GatewayError } from '../problems.ts'
import { AnswerMaker, type CachedRoute, type ToMake } from './answer-maker.ts'
import { type Wishes, wishesOf } from './cache-control.ts'
import { standingOf } from './freshness.ts'
import type { KeptAnswer } from './kept-answer.ts'
import type { KeptRequest } from './kept-request.ts'
import type { Recognised } from './recogniser.ts'
import { orSpare } from './spare.ts'

/** A request on its way to an answer that is kept, or will be. */
interface Asking extends ToMake {
  readonly wishes: Wishes
  /** Whoever waits for it, and nobody does when it has left. Absent: it is wanted in any case. */
  readonly client: GatewayEnv['Bindings']['outgoing'] | undefined
}

/** The answers of a route that keeps them: from the cache, of a call that is under way, or of a new one. */
export class CachedAnswers {
  readonly #parts: CachedRoute
  readonly #maker: AnswerMaker
  #alone = 0

  constructor(parts: CachedRoute) {
    this.#parts = parts
    this.#maker = new AnswerMaker(parts)
  }

  /** At once where memory has a fresh one. `persists`: its answer is wanted although the client leaves. */
  find(
    c: Context<GatewayEnv>,
    body: Buffer | null,
    recognised: Recognised,
    persists: boolean,
  ): Answered | Promise<Answered> {
    const { headers } = c.env.incoming
    const wishes = wishesOf(headers['cache-control'], single(headers.pragma))
    const { kept } = this.#parts
    const known = wishes.noCache ? undefined : kept.peek(recognised.key)
    if (known !== undefined) {
      if (standingOf(known, kept.keptForMs(known), wishes) === 'fresh') return this.#hit(known)
    }
    const client = persists ? undefined : c.env.outgoing
    return this.#look({ c, body, recognised, wishes, client })
  }

  /** A request to be made when nobody asks; see {@link AnswerMaker}. */
  warmItem(request: KeptRequest, mayCall: () => boolean): WarmItem | undefined {
    return this.#maker.warmItem(request, mayCall)
  }

  async #look(asking: Asking): Promise<Answered> {
    const { recognised, wishes } = asking
    const { kept } = this.#parts
    const known = wishes.noCache ? undefined : await kept.find(recognised.key)
    const standing = known && standingOf(known, kept.keptForMs(known), wishes)
    if (known !== undefined && standing !== 'no' && standing !== 'spare') {
      if (standing === 'fresh') return this.#hit(known)
      if (standing === 'stale') this.#refresh(asking, known).catch(() => {})
      return this.#stale(known)
    }
    if (wishes.onlyIfCached) {
      throw new GatewayError('not_cached', 'No answer to this request is kept that may be served.')
    }
    const answered = await this.#fetch(asking)
    const spare = known !== undefined && standing === 'spare' ? known : undefined
    const isSpare = spare !== undefined && (await orSpare(answered.recording, asking.client))
    if (isSpare) return this.#stale(spare)
    this.#parts.counts.count(answered.how.cache ?? 'miss')
    return answered
  }

  #hit(known: KeptAnswer): Answered {
    this.#parts.counts.count('hit', known.bytes, known.usage?.total)
    return this.#served(known, 'hit')
  }

  #stale(known: KeptAnswer): Answered {
    this.#parts.counts.count('stale', known.bytes, known.usage?.total)
    return this.#served(known, 'stale')
  }

  #served(known: KeptAnswer, cache: 'hit' | 'stale'): Answered {
    const ageSeconds = Math.floor(this.#parts.kept.keptForMs(known) / 1000)
    return { recording: known.recording, how: { cache, ageSeconds, usage: known.usage } }
  }

  /** The call that is under way, unless the client wants one of its own, or a new one. */
  async #fetch(asking: Asking): Promise<Answered> {
    const { recordings } = this.#parts.kept
    const { coalesce } = this.#parts.outbound.route
    const { key } = asking.recognised
    const options = { shared: coalesce?.cluster ?? false }
    if (coalesce !== undefined && !asking.wishes.noCache) {
      const claim = await recordings.claim(nameOf(key), options)
      if (claim.role === 'reader') {
        return { recording: claim.recording, how: { cache: 'coalesced' } }
      }
      if (claim.role === 'recorder') {
        return await this.#lead(asking, claim.recorder, this.#parts.kept.begun(nameOf(key)))
      }
    }
    this.#alone += 1
    const own = await recordings.claim(`${nameOf(key)} ${this.#alone}`)
    if (own.role !== 'recorder') throw new Error('A recording of its own has a name of its own.')
    return await this.#lead(asking, own.recorder, () => {})
  }

  async #lead(
    asking: Asking,
    recorder: Recorder<AnswerHead>,
    onOver: () => void,
  ): Promise<Answered> {
    await this.#maker.make(asking, recorder, undefined, onOver)
    return { recording: recorder.recording, how: { cache: 'miss' } }
  }

  /** Fetches a new one behind a stale one that is served, unless somebody does already. */
  async #refresh(asking: Asking, known: KeptAnswer): Promise<void> {
    const { recordings } = this.#parts.kept
    const { coalesce } = this.#parts.outbound.route
    const name = `refresh ${nameOf(asking.recognised.key)}`
    const claim = await recordings.claim(name, {
      ...{ persist: true, shared: coalesce?.cluster ?? false },
    })
    if (claim.role !== 'recorder') return
    await this.#maker.make(asking, claim.recorder, known, () => {})
  }
}

/** The name of a call that is under way. */
function nameOf(key: string): string {
  return `answer ${key}`
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value
}
