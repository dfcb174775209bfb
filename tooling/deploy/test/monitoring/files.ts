import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'

const root = fileURLToPath(new URL('../../../..', import.meta.url))
export const prometheusFolder: string = join(root, 'deploy/prometheus')

/** Files below `deploy/` that a pattern names, as paths of this machine. */
export function deployed(pattern: string): readonly string[] {
  const folder = join(root, 'deploy')
  return globSync(pattern, { cwd: folder })
    .sort()
    .map((file) => join(folder, file))
}

export function readText(path: string): string {
  return readFileSync(path.startsWith('/') ? path : join(root, path), 'utf8')
}

export interface Rule {
  readonly record?: string
  readonly alert?: string
  readonly expr: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

interface RuleFile {
  readonly groups: readonly { readonly rules: readonly Rule[] }[]
}

/** Every rule of `deploy/prometheus/rules`. */
export function rules(): readonly Rule[] {
  return deployed('prometheus/rules/*.yml').flatMap((file) =>
    (parse(readText(file)) as RuleFile).groups.flatMap((group) => group.rules),
  )
}

export interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly description?: string
  readonly datasource?: { readonly uid: string }
  readonly gridPos: {
    readonly x: number
    readonly y: number
    readonly w: number
    readonly h: number
  }
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } }
  readonly targets?: readonly { readonly refId: string; readonly expr: string }[]
}

export interface Dashboard {
  readonly uid: string
  readonly panels: readonly Panel[]
  readonly templating: { readonly list: readonly { readonly name: string; query: unknown }[] }
  readonly annotations: { readonly list: readonly { readonly expr: string }[] }
}

export function dashboard(): Dashboard {
  return JSON.parse(readText('deploy/grafana/dashboards/tidegate.json')) as Dashboard
}

/** Every expression of the dashboard: of its panels, annotations and variables. */
export function dashboardExpressions(): readonly string[] {
  const { panels, annotations, templating } = dashboard()
  const variables = templating.list.flatMap(({ query }) => {
    const text = typeof query === 'object' && query !== null ? Reflect.get(query, 'query') : ''
    return /^label_values\((.*),\s*\w+\)$/.exec(String(text))?.[1] ?? []
  })
  const shown = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))
  return [...shown, ...annotations.list.map(({ expr }) => expr), ...variables]
}
