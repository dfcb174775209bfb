import { gatewayNow } from '../data/connection.ts'
import { commonest, stepInWords, timelineEnd, timelineShares } from '../data/failure-summary.ts'
import type { Failure, Step } from '../data/incidents.ts'
import type { State } from '../data/state.ts'
import { counted, words } from '../format/text.ts'
import { clock, duration } from '../format/time.ts'
import { Name } from './marks.tsx'
import { useMore } from './more.tsx'
import { Panel } from './panel.tsx'

const FEW = 8

export function FailurePanel({ state }: { readonly state: State }) {
  const { failures } = state
  const now = gatewayNow(state)
  const { shown, button } = useMore(failures ?? [], FEW)
  return (
    <Panel title="Recent failures" aside={commonest(failures ?? [])}>
      {shown.length === 0 ? (
        <p class="empty">
          {failures === undefined ? 'Not known yet.' : 'No request has failed at its upstreams.'}
        </p>
      ) : (
        <ul class="failures">
          {shown.map((failure, index) => (
            <li key={`${failure.id} ${failure.at} ${failure.id === '' ? index : ''}`}>
              <FailureDetails failure={failure} now={now} />
            </li>
          ))}
        </ul>
      )}
      {button}
    </Panel>
  )
}

function FailureDetails({ failure, now }: { readonly failure: Failure; readonly now: number }) {
  const { id, at, method, path, route, upstream, code, attempts, durationMs, timeline } = failure
  return (
    <details>
      <summary>
        <span class="time">{at === null ? '–' : clock(at, now)}</span>
        <span class="cause">
          <Name of={words(code)} longest={40} />
          <span class="detail">
            <Name of={upstream} longest={24} /> · <Name of={route} longest={32} />
          </span>
        </span>
        <span class="number">
          {duration(durationMs)}
          <span class="detail">{attempts === null ? '' : counted(attempts, 'attempt')}</span>
        </span>
      </summary>
      <div class="story">
        <p>
          <Name of={`${method} ${path}`} longest={120} />
        </p>
        <p class="quiet">
          request id{' '}
          <code>
            <Name of={id} />
          </code>
        </p>
        <Timeline steps={timeline} durationMs={durationMs} />
      </div>
    </details>
  )
}

function Timeline(props: { readonly steps: readonly Step[]; readonly durationMs: number | null }) {
  const { steps, durationMs } = props
  if (steps.length === 0) return <p class="quiet">What was tried isn’t known.</p>
  const end = timelineEnd(steps, durationMs)
  return (
    <ol class="timeline">
      {steps.map((step, index) => {
        const { from, width } = timelineShares(step, end)
        return (
          <li key={`${index} ${step.kind}`} class={step.kind}>
            <span class="time">{step.atMs === 0 ? '0' : `+${duration(step.atMs)}`}</span>
            <span class="what">
              <StepStory step={step} />
            </span>
            <span class="track" aria-hidden="true">
              <span style={{ left: `${from}%`, width: `${width}%` }} />
            </span>
          </li>
        )
      })}
    </ol>
  )
}

function StepStory({ step }: { readonly step: Step }) {
  const { reason, endpoint, breaker } = step
  return (
    <>
      <Name of={stepInWords(step)} longest={60} />
      {reason !== null && (
        <>
          {': '}
          <Name of={words(reason)} longest={60} />
        </>
      )}
      {endpoint !== null && (
        <span class="detail">
          <Name of={endpoint} longest={60} />
          {breaker !== null && breaker !== 'closed' && `, breaker ${words(breaker)}`}
        </span>
      )}
    </>
  )
}
