import type { Backend, BackendAnswer, BackendAsk } from '../backend.ts'

/** How many keys one call of the backend names, so that no script holds others up for long. */
const MOST_KEYS = 64

/** What goes with the next batch. It says what it asks only then, so that more may join until it leaves. */
export interface Parcel {
  /** Called once, right before it is sent. Nothing may be asked after all. */
  seal(): readonly BackendAsk[]
  /** What became of each that was asked, in order. Of what failed nothing may be assumed to be charged or not. */
  settled(outcomes: readonly PromiseSettledResult<BackendAnswer>[]): void
}

interface Sealed {
  readonly parcel: Parcel
  readonly asks: readonly BackendAsk[]
}

/**
 * Sends all that is asked in one turn of the event loop as one call. A turn, because requests that were
 * read from several sockets at once arrive in callbacks of their own: a microtask would see one of them, and
 * costs such callers twice the processor time. One caller alone waits no longer either way, as a loop that
 * has nothing else to do ends its turn at once; and to wait for the turn's end only while something is on its
 * way sends half as much together, for a latency that is hardly better.
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
      settled: ([outcome]) =>
        outcome?.status === 'fulfilled' ? resolve(outcome.value) : reject(outcome?.reason),
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
        this.#call(batch)
        batch = []
        keys = 0
      }
      batch.push({ parcel, asks })
      keys += more
    }
    this.#call(batch)
  }

  #call(batch: readonly Sealed[]): void {
    const asks = batch.flatMap((sealed) => sealed.asks)
    const answers = asks.length === 0 ? [] : this.#backend.decide(asks)
    let at = 0
    for (const { parcel, asks: own } of batch) {
      deliver(parcel, answers.slice(at, at + own.length))
      at += own.length
    }
  }
}

function deliver(parcel: Parcel, answers: readonly Promise<BackendAnswer>[]): void {
  const [only] = answers
  if (only === undefined || answers.length > 1) {
    void Promise.allSettled(answers).then((outcomes) => parcel.settled(outcomes))
    return
  }
  // As it nearly always is, and then a fraction of the work.
  only.then(
    (value) => parcel.settled([{ status: 'fulfilled', value }]),
    (reason: unknown) => parcel.settled([{ status: 'rejected', reason }]),
  )
}
