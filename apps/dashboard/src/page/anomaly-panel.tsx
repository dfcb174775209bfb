import { gatewayNow } from '../data/connection.ts'
import type { Anomaly } from '../data/incidents.ts'
import { metricName, metricValue } from '../data/metrics.ts'
import type { State } from '../data/state.ts'
import { counted } from '../format/text.ts'
import { clock, span } from '../format/time.ts'
import { Mark } from './marks.tsx'
import { useMore } from './more.tsx'
import { Panel } from './panel.tsx'

const FEW = 5

export function AnomalyPanel({ state }: { readonly state: State }) {
  const { anomalies } = state
  const active = anomalies?.active ?? []
  const over = (anomalies?.recent ?? []).filter(({ untilAt }) => untilAt !== null)
  const { shown, button } = useMore([...active, ...over], FEW)
  const aside = active.length === 0 ? undefined : counted(active.length, 'now', 'now')
  return (
    <Panel title="Anomalies" aside={aside}>
      {shown.length === 0 ? (
        <p class="empty">
          {anomalies === undefined ? 'Not known yet.' : 'Nothing was out of the ordinary.'}
        </p>
      ) : (
        <ul class="anomalies">
          {shown.map((anomaly) => (
            <AnomalyRow
              key={`${anomaly.metric} ${anomaly.sinceAt}`}
              anomaly={anomaly}
              now={gatewayNow(state)}
            />
          ))}
        </ul>
      )}
      {button}
    </Panel>
  )
}

function AnomalyRow({ anomaly, now }: { readonly anomaly: Anomaly; readonly now: number }) {
  const { metric, sinceAt, untilAt, value, expected } = anomaly
  const lasted =
    sinceAt === null
      ? ''
      : `${untilAt === null ? 'for' : 'lasted'} ${span((untilAt ?? now) - sinceAt)}`
  return (
    <li>
      <Mark tone={untilAt === null ? 'warning' : 'unknown'} />
      <span>
        <bdi>{metricName(metric)}</bdi>
        <span class="detail">
          {metricValue(metric, value)}, usually {metricValue(metric, expected)}
        </span>
      </span>
      <span class="number">
        {sinceAt === null ? '–' : clock(sinceAt, now)}
        <span class="detail">{lasted}</span>
      </span>
    </li>
  )
}
