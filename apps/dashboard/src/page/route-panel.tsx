import type { Stats } from '../data/figures.ts'
import type { State } from '../data/state.ts'
import { amount, percent } from '../format/number.ts'
import { counted } from '../format/text.ts'
import { duration } from '../format/time.ts'
import { Name } from './marks.tsx'
import { useMore } from './more.tsx'
import { Panel } from './panel.tsx'
import { TableHead } from './table-head.tsx'

const FEW = 8

const FIGURES = [
  ['req/min', 'number'],
  ['p50', 'number wide'],
  ['p95', 'number'],
  ['p99', 'number wide'],
  ['errors', 'number'],
] as const

export function RoutePanel({ state: { figures } }: { readonly state: State }) {
  const routes = figures?.routes ?? []
  return (
    <Panel title="Routes and tiers" aside={counted(routes.length, 'route')}>
      <StatsTable caption="Routes" head="Route" stats={routes} empty="No request yet." />
      {(figures?.tiers.length ?? 0) > 0 && (
        <StatsTable caption="Tiers" head="Tier" stats={figures?.tiers ?? []} empty="" />
      )}
    </Panel>
  )
}

function StatsTable(props: {
  readonly caption: string
  readonly head: string
  readonly stats: readonly Stats[]
  readonly empty: string
}) {
  const sorted = props.stats.toSorted((one, other) => other.count - one.count)
  const { shown, button } = useMore(sorted, FEW)
  if (sorted.length === 0) return <p class="empty">{props.empty}</p>
  return (
    <>
      <table class="rows">
        <caption class="unseen">{props.caption}, the most asked for first</caption>
        <TableHead columns={[[props.head], ...FIGURES]} />
        <tbody>
          {shown.map((each) => (
            <StatsRow key={each.name} stats={each} />
          ))}
        </tbody>
      </table>
      {button}
    </>
  )
}

function StatsRow({ stats }: { readonly stats: Stats }) {
  const { name, perMinute, p50Ms, p95Ms, p99Ms, errorRate } = stats
  return (
    <tr>
      <th scope="row">
        <Name of={name} longest={48} />
      </th>
      <td class="number">{amount(perMinute)}</td>
      <td class="number wide">{duration(p50Ms)}</td>
      <td class="number">{duration(p95Ms)}</td>
      <td class="number wide">{duration(p99Ms)}</td>
      <td class="number">{percent(errorRate)}</td>
    </tr>
  )
}
