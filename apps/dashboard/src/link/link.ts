import { readFrame, samplesAfter } from '../data/frame.ts'
import { watched } from '../data/metrics.ts'
import type { Event, State, Window } from '../data/state.ts'
import { fields, number, text } from '../data/wire.ts'
import type { Api, LoginResult } from './api.ts'
import { askRound } from './questions.ts'
import { SampleStream, type Source } from './sample-stream.ts'

export interface LinkOptions {
  readonly api: Api
  readonly openSource: (path: string) => Source
  readonly dispatch: (event: Event) => void
  readonly state: () => State
  readonly now: () => number
}

const ROUND_MS = 5_000
const FIRST_RETRY_MS = 1_000
/** Without a stream, its samples are asked for this often. */
const TAIL_MS = 2_000
const TAIL_WINDOW = '20s'
/** How often a window of minutes is asked for anew. */
const COARSE_MS = 20_000
/** A page that nobody called for so long was asleep, and missed what there was meanwhile. */
const ASLEEP_MS = 15_000

const metricList = watched.map(encodeURIComponent).join(',')

/** Keeps the page's state up to date. It has no timers: what is due is done when `tick` is called. */
export class Link {
  readonly #options: LinkOptions
  readonly #stream: SampleStream
  readonly #busy = new Set<string>()
  #due = { session: 0, round: 0, history: 0, tail: 0 }
  #retryMs = FIRST_RETRY_MS
  #tickedAt: number

  constructor(options: LinkOptions) {
    const { openSource, dispatch, now } = options
    this.#options = options
    this.#tickedAt = now()
    this.#stream = new SampleStream({
      open: () => openSource(`/metrics/stream?metric=${metricList}`),
      onSample: (sample) => dispatch({ type: 'samples', samples: [sample], streaming: true }),
      onBreak: () => {
        this.#due.round = 0
      },
      now,
    })
  }

  /** To be called every second, and whenever the page is looked at again. */
  tick(): void {
    const { now, dispatch, state } = this.#options
    const at = now()
    dispatch({ type: 'tick', nowHere: at })
    if (at - this.#tickedAt > ASLEEP_MS) this.#refreshAll()
    this.#tickedAt = at
    const { session } = state()
    if (session.kind === 'unknown') this.#run('session', () => this.#askSession())
    if (session.kind !== 'open') return
    this.#stream.tend()
    this.#run('round', () => this.#askRound())
    this.#run('history', () => this.#askHistory())
    if (!this.#stream.flowing) this.#run('tail', () => this.#askTail())
  }

  show(window: Window): void {
    this.#options.dispatch({ type: 'window', window })
    this.#due.history = 0
    this.#busy.delete('history')
    this.tick()
  }

  async login(key: string): Promise<LoginResult> {
    const result = await this.#options.api.login(key)
    if (result.kind === 'open') await this.#askSession()
    return result
  }

  async logout(): Promise<void> {
    const { api, state } = this.#options
    const { session } = state()
    await api.logout(session.kind === 'open' ? session.csrf : null)
    this.#close(false)
  }

  /** Does what is due, unless it is being done. */
  #run(name: 'session' | 'round' | 'history' | 'tail', work: () => Promise<void>): void {
    if (this.#busy.has(name) || this.#options.now() < this.#due[name]) return
    this.#busy.add(name)
    void work().finally(() => this.#busy.delete(name))
  }

  async #askSession(): Promise<void> {
    const { api, dispatch, now } = this.#options
    const answer = await api.get('/dashboard/session')
    this.#due.session = now() + FIRST_RETRY_MS
    if (answer.kind === 'failed') return dispatch({ type: 'trouble', reason: answer.reason })
    if (answer.kind === 'unauthorised') return this.#close(false)
    const { authenticated, csrf } = fields(answer.body)
    if (authenticated !== true) return this.#close(false)
    this.#refreshAll()
    dispatch({ type: 'session', session: { kind: 'open', csrf: text(csrf) } })
    this.tick()
  }

  async #askRound(): Promise<void> {
    const { api, dispatch, now, state } = this.#options
    const result = await askRound(api)
    if (state().session.kind !== 'open') return
    if (result.kind === 'unauthorised') return this.#close(true)
    if (result.kind === 'failed') {
      this.#due.round = now() + this.#retryMs
      this.#retryMs = Math.min(ROUND_MS, this.#retryMs * 2)
      return dispatch({ type: 'trouble', reason: result.reason })
    }
    this.#due.round = now() + ROUND_MS
    this.#retryMs = FIRST_RETRY_MS
    if (state().trouble !== null) this.#cameBack()
    dispatch({ type: 'round', round: result.round })
  }

  /** Nothing was heard meanwhile: the charts are drawn anew, and the stream doesn't wait for its turn. */
  #cameBack(): void {
    this.#due.history = 0
    this.#stream.restart()
  }

  async #askHistory(): Promise<void> {
    const { api, dispatch, now, state } = this.#options
    const { window } = state()
    const query = `metric=${metricList}&window=${window.ms / 1000}s&step=${window.stepMs / 1000}s`
    const answer = await api.get(`/metrics/history?${query}`)
    if (state().window !== window || state().session.kind !== 'open') return
    const again = window.stepMs > 1_000 ? COARSE_MS : Number.POSITIVE_INFINITY
    const fine = answer.kind === 'answer' && answer.status === 200
    this.#due.history = now() + (fine ? again : FIRST_RETRY_MS * 3)
    if (answer.kind === 'unauthorised') return this.#close(true)
    if (!fine) return
    const gatewayNow = number(fields(answer.body).now)
    dispatch({ type: 'history', window, frame: readFrame(answer.body), now: gatewayNow })
  }

  async #askTail(): Promise<void> {
    const { api, dispatch, now, state } = this.#options
    this.#due.tail = now() + TAIL_MS
    const query = `metric=${metricList}&window=${TAIL_WINDOW}&step=1s`
    const answer = await api.get(`/metrics/history?${query}`)
    if (answer.kind !== 'answer' || answer.status !== 200 || this.#stream.flowing) return
    const last = state().sampleAt ?? 0
    const samples = samplesAfter(readFrame(answer.body), last)
    dispatch({ type: 'samples', samples, streaming: false })
  }

  #refreshAll(): void {
    this.#due = { session: 0, round: 0, history: 0, tail: 0 }
  }

  #close(ended: boolean): void {
    this.#stream.stop()
    this.#refreshAll()
    this.#options.dispatch({ type: 'session', session: { kind: 'closed', ended } })
  }
}
