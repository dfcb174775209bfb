import { useState } from 'preact/hooks'
import { type Connection, connection, gatewayNow } from '../data/connection.ts'
import { latest } from '../data/frame.ts'
import type { State } from '../data/state.ts'
import type { Finding, Verdict } from '../data/verdict.ts'
import { amount, percent } from '../format/number.ts'
import { clock, duration, since, span } from '../format/time.ts'
import { Mark } from './marks.tsx'

interface VerdictProps {
  readonly state: State
  readonly verdict: Verdict
}

const SHOWN = 6

/** The one look: what is wrong, since when, and why. */
export function VerdictPanel({ state, verdict }: VerdictProps) {
  const [all, setAll] = useState(false)
  const { level, title, findings } = verdict
  const shown = all ? findings : findings.slice(0, SHOWN)
  const now = gatewayNow(state)
  return (
    <section class={`verdict ${level}`} aria-labelledby="verdict">
      <div class="headline">
        <Mark tone={level} />
        <div>
          <h1 id="verdict">{title}</h1>
          <p>{sentence(state, verdict)}</p>
        </div>
        <Pulse state={state} />
      </div>
      {shown.length > 0 && (
        <ul class="findings">
          {shown.map((finding) => (
            <FindingRow key={finding.key} finding={finding} now={now} />
          ))}
        </ul>
      )}
      {findings.length > SHOWN && (
        <button type="button" class="more" onClick={() => setAll(!all)} aria-expanded={all}>
          {all ? 'Show fewer' : `Show all ${findings.length}`}
        </button>
      )}
    </section>
  )
}

function FindingRow({ finding, now }: { readonly finding: Finding; readonly now: number }) {
  const { level, what, why, sinceAt, earlier } = finding
  const begin = earlier === true ? 'since before' : 'since'
  return (
    <li>
      <Mark tone={level} />
      <div>
        <strong>
          <span class="unseen">{level}: </span>
          <bdi>{what}</bdi>
        </strong>
        <p>
          <bdi>{why}</bdi>
        </p>
      </div>
      <p class="since">{sinceAt === null ? '' : `${begin} ${since(sinceAt, now)}`}</p>
    </li>
  )
}

function sentence(state: State, { level, findings }: Verdict): string {
  const link = connection(state)
  if (link.kind === 'lost' || link.kind === 'stale') return silence(link, state.nowHere)
  if (state.draining) {
    return 'It finishes what is under way and takes nothing new: it is about to stop.'
  }
  if (level === 'unknown') return 'Waiting for the first answers.'
  const serious = findings.filter((finding) => finding.level !== 'note').length
  if (serious > 0) return serious === 1 ? 'One thing is wrong.' : `${serious} things are wrong.`
  const missed = findings.length
  if (missed === 0) return 'Nothing is wrong.'
  return missed === 1 ? 'One target is missed.' : `${missed} targets are missed.`
}

function silence(link: Extract<Connection, { kind: 'lost' | 'stale' }>, nowHere: number): string {
  const { sinceHere } = link
  const when =
    sinceHere === null ? '' : ` since ${clock(sinceHere, nowHere)} (${span(nowHere - sinceHere)})`
  return link.kind === 'stale'
    ? `The gateway answers, but with no new figures${when}. What is below is of then.`
    : `The gateway doesn’t answer${when}: ${link.reason}. Trying again; what is below is of then.`
}

/** How busy it is, in four figures. */
function Pulse({ state: { frame, figures } }: { readonly state: State }) {
  const totals = figures?.totals
  const active = latest(frame, 'requests.active')
  return (
    <dl class="pulse">
      <Beat name="requests/min" value={amount(totals?.perMinute ?? null)} />
      <Beat name="errors" value={percent(latest(frame, 'errors.ratio'))} />
      <Beat name="latency p95" value={duration(latest(frame, 'latency.p95'))} />
      <Beat name="in flight" value={amount(active)} />
    </dl>
  )
}

function Beat({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  )
}
