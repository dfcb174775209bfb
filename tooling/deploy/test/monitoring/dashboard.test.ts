import { describe, expect, it } from 'vitest'
import { dashboard, type Panel } from './files.ts'

const columns = 24

function overlaps({ gridPos: a }: Panel, { gridPos: b }: Panel): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h
}

describe('the Grafana dashboard', () => {
  const { panels } = dashboard()
  const charts = panels.filter(({ type }) => type !== 'row')

  it('gives each panel an id, a title and a place of its own', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    for (const [index, panel] of panels.entries()) {
      expect(panel.title).not.toBe('')
      expect(panel.gridPos.x + panel.gridPos.w).toBeLessThanOrEqual(columns)
      const above = panels.slice(0, index).filter((other) => overlaps(panel, other))
      expect(above.map(({ title }) => `${title} under ${panel.title}`)).toEqual([])
    }
  })

  it.each(charts.map((panel) => [panel.title, panel] as const))(
    '%s says what it shows, in which unit, from the chosen source',
    (_, { description = '', datasource, fieldConfig, targets = [] }) => {
      expect(description).toMatch(/\.$/)
      expect(datasource?.uid).toMatch(/^\$\{datasource\}$/)
      expect(fieldConfig?.defaults.unit).toMatch(/^\w+$/)
      expect(targets.length).toBeGreaterThan(0)
      expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length)
      const isOfTheJob = (expr: string) => expr.includes('job="$job"')
      expect(targets.map(({ expr }) => expr).filter((expr) => !isOfTheJob(expr))).toEqual([])
    },
  )
})
