import type { Figures } from './figures.ts'
import { addSample, type Frame, noFrame, type Sample } from './frame.ts'
import { type Component, keepSeen, type Upstream } from './health.ts'
import type { Anomalies, Failure } from './incidents.ts'

/** The windows that charts can show: how long, and how far its points are apart. */
export const windows = [
  { ms: 300_000, stepMs: 1_000, name: '5 min' },
  { ms: 3_600_000, stepMs: 60_000, name: '1 h' },
  { ms: 86_400_000, stepMs: 60_000, name: '24 h' },
] as const

export type Window = (typeof windows)[number]

type Session =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'closed'; readonly ended: boolean }
  | { readonly kind: 'open'; readonly csrf: string | null }

/** What a round of questions brought; what failed alone stays as it was. */
export interface Round {
  readonly draining: boolean
  readonly figures?: Figures
  readonly upstreams?: readonly Upstream[]
  readonly components?: readonly Component[]
  readonly failures?: readonly Failure[]
  readonly anomalies?: Anomalies
}

/** All that the page shows. Instants ending in `Here` are by the browser's clock, others by the gateway's. */
export interface State extends Round {
  readonly session: Session
  readonly nowHere: number
  /** The gateway's clock less the browser's. */
  readonly skewMs: number
  readonly window: Window
  readonly frame: Frame
  /** The last figures that came, whichever way. */
  readonly sampleHere: number | null
  /** Their instant, by the gateway's clock. */
  readonly sampleAt: number | null
  readonly streaming: boolean
  /** When the gateway last answered anything. */
  readonly answeredHere: number | null
  /** Why it doesn't answer; nothing while it does. */
  readonly trouble: string | null
}

export type Event =
  | { readonly type: 'tick'; readonly nowHere: number }
  | { readonly type: 'session'; readonly session: Session }
  | { readonly type: 'window'; readonly window: Window }
  | {
      readonly type: 'history'
      readonly window: Window
      readonly frame: Frame
      readonly now: number | null
    }
  | { readonly type: 'samples'; readonly samples: readonly Sample[]; readonly streaming: boolean }
  | { readonly type: 'round'; readonly round: Round }
  | { readonly type: 'trouble'; readonly reason: string }

export function initialState(nowHere: number): State {
  return {
    session: { kind: 'unknown' },
    nowHere,
    skewMs: 0,
    window: windows[0],
    frame: noFrame,
    sampleHere: null,
    sampleAt: null,
    streaming: false,
    answeredHere: null,
    trouble: null,
    draining: false,
  }
}

/** What becomes of the page when something happens; `nowHere` is when it did. */
export function reduce(state: State, event: Event, nowHere: number): State {
  switch (event.type) {
    case 'tick':
      return { ...state, nowHere: event.nowHere }
    case 'session':
      return withSession(state, event.session)
    case 'window':
      return { ...state, window: event.window, frame: noFrame }
    case 'history':
      return withHistory(state, event, nowHere)
    case 'samples':
      return withSamples(state, event, nowHere)
    case 'round':
      return withRound(state, event.round, nowHere)
    case 'trouble':
      return { ...state, trouble: event.reason, streaming: false }
  }
}

/** The figures of one session are not kept for whoever comes next. */
function withSession(state: State, session: Session): State {
  if (session.kind !== 'closed') return { ...state, session }
  return { ...initialState(state.nowHere), window: state.window, session }
}

function withRound(state: State, round: Round, nowHere: number): State {
  const components =
    round.components && keepSeen(round.components, state.components ?? [], nowHere + state.skewMs)
  return {
    ...state,
    ...round,
    ...(components !== undefined && { components }),
    answeredHere: nowHere,
    trouble: null,
  }
}

function withHistory(
  state: State,
  { window, frame, now }: Extract<Event, { type: 'history' }>,
  nowHere: number,
): State {
  if (window !== state.window) return state
  const skewMs = now === null ? state.skewMs : now - nowHere
  return { ...state, frame, skewMs, answeredHere: nowHere, trouble: null }
}

function withSamples(
  state: State,
  { samples, streaming }: Extract<Event, { type: 'samples' }>,
  nowHere: number,
): State {
  const last = samples.at(-1)
  if (last === undefined) return state
  const { ms, stepMs } = state.window
  // Seconds among minutes would draw another line: longer windows are asked for as a whole.
  const frame =
    stepMs > 1_000
      ? state.frame
      : samples.reduce((all, sample) => addSample(all, sample, ms, stepMs), state.frame)
  return {
    ...state,
    frame,
    streaming,
    skewMs: last.t - nowHere,
    sampleHere: nowHere,
    sampleAt: last.t,
    answeredHere: nowHere,
    trouble: null,
  }
}
