import { useState } from 'preact/hooks'
import { charts } from '../data/charts.ts'
import { gatewayNow } from '../data/connection.ts'
import type { State } from '../data/state.ts'
import { windowName } from '../format/time.ts'
import type { Theme } from '../theme.ts'
import { ChartFigure } from './chart-figure.tsx'

export function ChartGrid({ state, theme }: { readonly state: State; readonly theme: Theme }) {
  // What is pointed at in one chart is told in all of them.
  const [pointedAt, setPointedAt] = useState<number | null>(null)
  const { frame, window } = state
  const endAt = Math.max(gatewayNow(state), frame.times.at(-1) ?? 0)
  const shown = { frame, beginAt: endAt - window.ms, endAt }
  return (
    <section aria-labelledby="charts">
      <h2 id="charts" class="unseen">
        The last {windowName(window.ms)}
      </h2>
      <div class="charts">
        {charts.map((chart) => (
          <ChartFigure
            key={`${chart.id} ${window.name} ${theme}`}
            chart={chart}
            shown={shown}
            pointedAt={pointedAt}
            onPoint={setPointedAt}
          />
        ))}
      </div>
    </section>
  )
}
