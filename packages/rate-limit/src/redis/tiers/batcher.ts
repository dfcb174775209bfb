import type { Backend, BackendAnswer, BackendAsk } from '../backend.ts'

/** How many keys one call of the backend names, so that no script holds others up for long. */
const MOST_KEYS = 200

/** What goes with the next batch. It says what it asks only then, so that more may join until it leaves. */
export interface Parcel {
  /** Called once, right before it is sent. Nothing may be asked after all. */
  seal(): readonly BackendAsk[]
  /** The answers to what was asked, in order. */
  answered(answers: readonly BackendAnswer[]): void
  /** Nothing may be assumed to have been charged or not. */
  failed(error: unknown): void
}

interface Sealed {
  readonly parcel: Parcel
  readonly asks: readonly BackendAsk[]
}

/**
 * Sends all that is asked in one turn of the event loop as one call. A turn, because requests that were
 * read from several sockets at once arrive in callbacks of their own: a microtask would see one of them.
 */
export class Batcher {
  readonly #backend: Backend
  readonly #defer: (flush: () => void) => void
  #parcels: Parcel[] = []

  /** @param defer runs what it is given at the end of the turn. */
  constructor(backend: Backend, defer: (flush: () => void) => void) {
    this.#backend = backend
    this.#defer = defer
  }

  send(parcel: Parcel): void {
    this.#parcels.push(parcel)
    if (this.#parcels.length === 1) this.#defer(this.#flush)
  }

  /** Asks one thing, which is made when it leaves. */
  decide(askOf: () => BackendAsk): Promise<BackendAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<BackendAnswer>()
    this.send({
      seal: () => [askOf()],
      answered: ([answer]) => (answer === undefined ? reject(tooFew()) : resolve(answer)),
      failed: reject,
    })
    return promise
  }

  readonly #flush = (): void => {
    const parcels = this.#parcels
    this.#parcels = []
    let batch: Sealed[] = []
    let keys = 0
    for (const parcel of parcels) {
      const asks = parcel.seal()
      const more = asks.reduce((sum, { requests }) => sum + requests.length, 0)
      if (keys > 0 && keys + more > MOST_KEYS) {
        void this.#call(batch)
        batch = []
        keys = 0
      }
      batch.push({ parcel, asks })
      keys += more
    }
    void this.#call(batch)
  }

  async #call(batch: readonly Sealed[]): Promise<void> {
    const asks = batch.flatMap((sealed) => sealed.asks)
    try {
      const answers = asks.length === 0 ? [] : await this.#backend.decide(asks)
      if (answers.length !== asks.length) throw tooFew()
      let at = 0
      for (const { parcel, asks: own } of batch) {
        parcel.answered(answers.slice(at, at + own.length))
        at += own.length
      }
    } catch (error) {
      for (const { parcel } of batch) parcel.failed(error)
    }
  }
}

function tooFew(): TypeError {
  return new TypeError('The backend gave too few answers.')
}
