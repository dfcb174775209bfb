import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { type Chart, describeChart, instantByKey, tableIndexes } from '../data/charts.ts'
import { latest, valueAt } from '../data/frame.ts'
import { clock } from '../format/time.ts'
import { Plot, type Shown } from './plot.ts'

export interface ChartFigureProps {
  readonly chart: Chart
  readonly shown: Shown
  /** The instant that is pointed at, in this chart or another. */
  readonly pointedAt: number | null
  readonly onPoint: (at: number | null) => void
}

/** How often a chart's description is told anew to those who listen: not every second. */
const DESCRIBED_MS = 30_000

export function ChartFigure(props: ChartFigureProps) {
  const { chart, shown } = props
  const { frame, beginAt, endAt } = shown
  const describedAt = Math.floor(endAt / DESCRIBED_MS)
  const none = frame.times.length === 0
  const description = useMemo(
    () => describeChart(chart, frame, endAt - beginAt),
    [chart, describedAt, none],
  )
  return (
    <figure class="panel chart">
      <figcaption>
        <h3>{chart.title}</h3>
        <Legend {...props} />
      </figcaption>
      <p class="unseen" id={`about-${chart.id}`}>
        {description}
      </p>
      <Drawing {...props} />
      <ChartTable chart={chart} shown={shown} />
    </figure>
  )
}

/** What is drawn, as a slider: keys move through time as a pointer does. */
function Drawing({ chart, shown, pointedAt, onPoint }: ChartFigureProps) {
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<Plot | null>(null)
  const [byKey, setByKey] = useState<number | null>(null)
  const dark = matchMedia('(prefers-color-scheme: dark)').matches
  useLayoutEffect(() => {
    if (place.current === null) return
    const drawn = new Plot(place.current, { chart, shown, onPoint })
    plot.current = drawn
    return () => drawn.remove()
  }, [chart, dark])
  useEffect(() => {
    plot.current?.show(shown)
    // What is pointed at by key stays that instant while time goes on.
    if (byKey !== null) plot.current?.pointAt(byKey)
  }, [shown])
  const point = (at: number | null): void => {
    setByKey(at)
    plot.current?.pointAt(at)
    onPoint(at)
  }
  const { times } = shown.frame
  return (
    <div
      ref={place}
      class="plot"
      role="slider"
      tabIndex={0}
      aria-label={`${chart.title} over time`}
      aria-describedby={`about-${chart.id}`}
      aria-valuemin={shown.beginAt}
      aria-valuemax={shown.endAt}
      aria-valuenow={byKey ?? shown.endAt}
      aria-valuetext={byKey === null ? 'now' : valuesInWords(chart, shown, byKey)}
      onKeyDown={(event) => {
        const next = instantByKey(event.key, byKey ?? pointedAt, times)
        if (next === undefined) return
        event.preventDefault()
        point(next)
      }}
      onBlur={() => point(null)}
    />
  )
}

function valuesInWords({ lines, unit }: Chart, { frame, endAt }: Shown, at: number): string {
  const values = lines.map(({ metric, name }) => `${name} ${unit(valueAt(frame, metric, at))}`)
  return `${clock(at, endAt)}: ${values.join(', ')}`
}

/** The lines with their values: now, or at the instant that is pointed at. */
function Legend({ chart, shown, pointedAt }: ChartFigureProps) {
  const { frame, endAt } = shown
  return (
    <ul class="legend">
      {pointedAt !== null && <li>{clock(pointedAt, endAt)}</li>}
      {chart.lines.map(({ metric, name, tone }) => {
        const value = pointedAt === null ? latest(frame, metric) : valueAt(frame, metric, pointedAt)
        return (
          <li key={metric}>
            <span class={`swatch ${tone}`} aria-hidden="true" />
            {name} <b>{chart.unit(value)}</b>
          </li>
        )
      })}
    </ul>
  )
}

const TABLE_ROWS = 15

/** The same as a table, for those who read rather than look. It is made when it is opened. */
function ChartTable({ chart, shown }: { readonly chart: Chart; readonly shown: Shown }) {
  const [open, setOpen] = useState(false)
  const { frame, endAt } = shown
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        Table<span class="unseen"> of {chart.title.toLowerCase()}</span>
      </summary>
      {open && (
        <table>
          <caption class="unseen">{chart.title}, the newest first</caption>
          <thead>
            <tr>
              <th scope="col">Time</th>
              {chart.lines.map(({ metric, name }) => (
                <th key={metric} scope="col" class="number">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {tableIndexes(frame, TABLE_ROWS).map((index) => (
              <tr key={frame.times[index]}>
                <th scope="row">{clock(frame.times[index] ?? 0, endAt)}</th>
                {chart.lines.map(({ metric }) => (
                  <td key={metric} class="number">
                    {chart.unit(frame.columns.get(metric)?.[index] ?? null)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </details>
  )
}
