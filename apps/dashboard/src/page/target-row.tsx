import { gatewayNow } from '../data/connection.ts'
import type { State } from '../data/state.ts'
import { JUDGED_MS, type Target, targets } from '../data/targets.ts'
import { since, windowName } from '../format/time.ts'
import { Mark } from './marks.tsx'

export function TargetRow({ state }: { readonly state: State }) {
  const now = gatewayNow(state)
  return (
    <section aria-labelledby="targets">
      <h2 id="targets" class="unseen">
        Targets over the last {windowName(JUDGED_MS)}
      </h2>
      <ul class="targets">
        {targets(state).map((target) => (
          <TargetTile key={target.key} target={target} now={now} />
        ))}
      </ul>
    </section>
  )
}

const verdicts = {
  met: { tone: 'good', words: 'met' },
  missed: { tone: 'warning', words: 'missed' },
  unknown: { tone: 'unknown', words: 'too little to judge' },
} as const

function TargetTile({ target, now }: { readonly target: Target; readonly now: number }) {
  const { name, about, figure, goal, severe, sinceAt, value } = target
  const { tone, words } = verdicts[target.state]
  return (
    <li class={target.state} title={about}>
      <h3>{name}</h3>
      <p class="figure">{figure}</p>
      <p class="goal">
        <Mark tone={severe ? 'critical' : tone} />
        <span>
          target {goal}: {value === null ? 'no figure' : words}
        </span>
      </p>
      {target.state === 'missed' && sinceAt !== null && (
        <p class="since">since {since(sinceAt, now)}</p>
      )}
    </li>
  )
}
