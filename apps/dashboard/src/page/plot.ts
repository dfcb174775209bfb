import uPlot from 'uplot'
import type { Chart, Line } from '../data/charts.ts'
import type { Frame } from '../data/frame.ts'
import { tick } from '../format/time.ts'

const HEIGHT = 148
const AXIS_WIDTH = 56
const AXIS_HEIGHT = 24
const AWAY = -10

export interface Shown {
  readonly frame: Frame
  readonly beginAt: number
  readonly endAt: number
}

export interface PlotOptions {
  readonly chart: Chart
  readonly shown: Shown
  /** Which instant is pointed at, in this chart or in one beside it. */
  readonly onPoint: (at: number | null) => void
}

/** The drawn part of a chart, which knows nothing of the page. Colours are the style sheet's. */
export class Plot {
  readonly #plot: uPlot
  readonly #chart: Chart
  readonly #sizes: ResizeObserver
  #shown: Shown

  constructor(parent: HTMLElement, options: PlotOptions) {
    this.#chart = options.chart
    this.#shown = options.shown
    this.#plot = new uPlot(this.#settings(parent, options), this.#data(), parent)
    this.#sizes = new ResizeObserver(() => {
      const width = parent.clientWidth
      if (width > 0 && width !== this.#plot.width) this.#plot.setSize({ width, height: HEIGHT })
    })
    this.#sizes.observe(parent)
  }

  show(shown: Shown): void {
    this.#shown = shown
    this.#plot.setData(this.#data())
  }

  /** Points at an instant without a pointer. */
  pointAt(at: number | null): void {
    const left = at === null ? AWAY : this.#plot.valToPos(at, 'x')
    this.#plot.setCursor({ left, top: at === null ? AWAY : HEIGHT / 2 })
  }

  remove(): void {
    this.#sizes.disconnect()
    this.#plot.destroy()
  }

  #data(): uPlot.AlignedData {
    const { times, columns } = this.#shown.frame
    const lines = this.#chart.lines.map(({ metric }) => {
      const column = columns.get(metric)
      return times.map((_, index) => drawable(column?.[index] ?? null))
    })
    return [[...times], ...lines]
  }

  #settings(parent: HTMLElement, { chart, onPoint }: PlotOptions): uPlot.Options {
    const colour = (name: string): string => colourOf(name, parent)
    const axis = {
      stroke: colour('muted'),
      font: `11px ${getComputedStyle(parent).fontFamily}`,
      grid: { stroke: colour('grid'), width: 1 },
      ticks: { show: false },
    }
    return {
      width: Math.max(1, parent.clientWidth),
      height: HEIGHT,
      ms: 1,
      padding: [10, 8, 0, 0],
      legend: { show: false },
      cursor: {
        drag: { x: false, y: false },
        y: false,
        points: { size: 6 },
        sync: { key: 'charts' },
      },
      hooks: {
        setCursor: [({ cursor }) => onPoint(this.#shown.frame.times[cursor.idx ?? -1] ?? null)],
      },
      scales: {
        x: { time: true, range: () => [this.#shown.beginAt, this.#shown.endAt] },
        y: { range: (_, __, most) => [0, ceiling(most)] },
      },
      axes: [
        {
          ...axis,
          size: AXIS_HEIGHT,
          space: 64,
          values: (_, at) => at.map((t) => tick(t, this.#span)),
        },
        { ...axis, size: AXIS_WIDTH, space: 32, values: (_, at) => at.map(chart.unit) },
      ],
      series: [{}, ...chart.lines.map((line, index) => lineSettings(line, index, colour))],
    }
  }

  get #span(): number {
    return this.#shown.endAt - this.#shown.beginAt
  }
}

/** One of the palette's colours in the theme that is shown: a canvas knows no variables. */
function colourOf(name: string, place: HTMLElement): string {
  place.style.color = `var(--${name})`
  const { color } = getComputedStyle(place)
  place.style.removeProperty('color')
  return color
}

function lineSettings(
  { name, tone }: Line,
  index: number,
  colour: (name: string) => string,
): uPlot.Series {
  const stroke = colour(`line-${tone}`)
  return {
    label: name,
    stroke,
    width: 1.5,
    spanGaps: false,
    points: { show: false },
    ...(index === 0 && { fill: colour(`area-${tone}`) }),
  }
}

/** Beyond these an axis has no marks left, and a figure is a mistake. */
const LARGEST = 1e15
const SMALLEST = 1e-6

function drawable(value: number | null): number | null {
  return value === null ? null : Math.min(LARGEST, Math.max(0, value))
}

/** Some air above the highest value, and a scale even where all is nothing. */
function ceiling(most: number | null): number {
  return most === null || !Number.isFinite(most) || most < SMALLEST ? 1 : most * 1.1
}
