import { useState } from 'preact/hooks'
import { gatewayNow } from '../data/connection.ts'
import type { Stats } from '../data/figures.ts'
import { type Breaker, type Endpoint, type Upstream, worstBreaker } from '../data/health.ts'
import type { State } from '../data/state.ts'
import { share } from '../data/verdict.ts'
import { amount, percent } from '../format/number.ts'
import { counted, words } from '../format/text.ts'
import { duration, span } from '../format/time.ts'
import { Mark, Name, type Tone } from './marks.tsx'
import { useMore } from './more.tsx'
import { Panel } from './panel.tsx'
import { TableHead } from './table-head.tsx'

const FEW = 10

const COLUMNS = [
  ['Upstream'],
  ['Breaker'],
  ['req/min', 'number wide'],
  ['p95', 'number'],
  ['errors', 'number'],
  ['in flight', 'number wide'],
] as const

const statusTone = {
  healthy: 'good',
  degraded: 'warning',
  unhealthy: 'critical',
  unknown: 'unknown',
} as const
const statusRank = { unhealthy: 0, degraded: 1, unknown: 2, healthy: 3 } as const

interface Row {
  readonly upstream: Upstream
  readonly stats: Stats | undefined
}

export function UpstreamPanel({ state }: { readonly state: State }) {
  const { upstreams, figures } = state
  const stats = new Map(figures?.upstreams.map((each) => [each.name, each]))
  const rows = (upstreams ?? [])
    .map((upstream): Row => ({ upstream, stats: stats.get(upstream.name) }))
    .sort(worstThenBusiest)
  const { shown, button } = useMore(rows, FEW)
  const bad = rows.filter(({ upstream }) => upstream.status !== 'healthy').length
  const aside =
    bad === 0 ? counted(rows.length, 'upstream') : `${bad} of ${rows.length} not healthy`
  return (
    <Panel title="Upstreams" aside={upstreams === undefined ? undefined : aside}>
      {rows.length === 0 ? (
        <p class="empty">{upstreams === undefined ? 'Not known yet.' : 'There are none.'}</p>
      ) : (
        <table class="rows">
          <caption class="unseen">Upstreams, those that fail first</caption>
          <TableHead columns={COLUMNS} />
          <tbody>
            {shown.map((row) => (
              <UpstreamRows key={row.upstream.name} row={row} now={gatewayNow(state)} />
            ))}
          </tbody>
        </table>
      )}
      {button}
    </Panel>
  )
}

function worstThenBusiest(one: Row, other: Row): number {
  const worse = statusRank[one.upstream.status] - statusRank[other.upstream.status]
  return worse === 0 ? (other.stats?.perMinute ?? 0) - (one.stats?.perMinute ?? 0) : worse
}

/** One upstream, and its endpoints where there are several. */
function UpstreamRows({ row, now }: { readonly row: Row; readonly now: number }) {
  const { upstream, stats } = row
  const { name, status, protocol, pending, queued, endpoints } = upstream
  const [opened, setOpened] = useState<boolean>()
  const open = opened ?? (status !== 'healthy' && endpoints.length > 1)
  const only = endpoints.length === 1 ? endpoints[0] : undefined
  return (
    <>
      <tr>
        <th scope="row">
          <span class="named">
            <Mark tone={statusTone[status]} />
            <span>
              <Name of={name} longest={40} />
              <span class="unseen">, {status}</span>
              {endpoints.length > 1 && (
                <button
                  type="button"
                  class="more inline"
                  aria-expanded={open}
                  onClick={() => setOpened(!open)}
                >
                  {counted(endpoints.length, 'endpoint')}
                </button>
              )}
              <span class="detail">
                {only === undefined ? protocol : <Name of={only.host} longest={36} />}
              </span>
              <LastFailure of={upstream} now={now} />
            </span>
          </span>
        </th>
        <td>
          <BreakerSign state={worstBreaker(upstream)} />
        </td>
        <td class="number wide">{amount(stats?.perMinute ?? null)}</td>
        <td class="number">{duration(stats?.p95Ms ?? only?.p95Ms ?? null)}</td>
        <td class="number">
          {percent(stats?.errorRate ?? share(upstream.failed, upstream.attempts))}
        </td>
        <td class="number wide">
          {amount(pending)}
          {queued !== null && queued > 0 && <span class="detail">{amount(queued)} queued</span>}
        </td>
      </tr>
      {open && endpoints.map((each) => <EndpointRow key={each.name} endpoint={each} now={now} />)}
    </>
  )
}

function EndpointRow({ endpoint, now }: { readonly endpoint: Endpoint; readonly now: number }) {
  const { host, status, breaker, attempts, failed, pending, p95Ms } = endpoint
  return (
    <tr class="endpoint">
      <th scope="row">
        <span class="named">
          <Mark tone={statusTone[status]} />
          <span>
            <Name of={host} longest={36} />
            <span class="unseen">, {status}</span>
            <LastFailure of={endpoint} now={now} />
          </span>
        </span>
      </th>
      <td>
        <BreakerSign state={breaker} />
      </td>
      <td class="number wide">–</td>
      <td class="number">{duration(p95Ms)}</td>
      <td class="number">{percent(share(failed, attempts))}</td>
      <td class="number wide">{amount(pending)}</td>
    </tr>
  )
}

const breakers: Readonly<Record<Breaker, { readonly words: string; readonly tone: Tone }>> = {
  closed: { words: 'closed', tone: 'good' },
  open: { words: 'open', tone: 'critical' },
  'half-open': { words: 'half open', tone: 'warning' },
  off: { words: 'off', tone: 'unknown' },
}

function BreakerSign({ state }: { readonly state: Breaker }) {
  const { words: shown, tone } = breakers[state]
  return <span class={`badge ${tone}`}>{shown}</span>
}

/** The last failure, while it is news. */
function LastFailure({ of, now }: { readonly of: Upstream | Endpoint; readonly now: number }) {
  const { lastFailureAt, lastFailure, status } = of
  if (lastFailureAt === null || lastFailure === null || status === 'healthy') return null
  return (
    <span class="detail">
      <Name of={words(lastFailure)} longest={40} />, {span(now - lastFailureAt)} ago
    </span>
  )
}
