import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect } from 'vitest'
import { type CheckedSettings, checkSettings } from './load.ts'
import { describeProblem } from './report.ts'
import type { Settings } from './settings.ts'

/** A folder of this test file's own, with nothing in it. */
export const folder = mkdtempSync(join(tmpdir(), 'tidegate-config-'))

afterAll(() => rmSync(folder, { recursive: true }))

export type Env = Readonly<Record<string, string>>

export function check(yaml: string, env: Env = {}): Promise<CheckedSettings> {
  writeFileSync(join(folder, 'tidegate.yaml'), yaml)
  return checkSettings({ env, file: 'tidegate.yaml', cwd: folder })
}

export function checkEnvironment(env: Env): Promise<CheckedSettings> {
  return checkSettings({ env, cwd: folder })
}

export function problemsOf({ report }: CheckedSettings): string[] {
  return report.problems.map(describeProblem)
}

export function warningsOf({ report }: CheckedSettings): string[] {
  return report.warnings.map(describeProblem)
}

export function settingsOf(checked: CheckedSettings): Settings {
  expect(problemsOf(checked)).toEqual([])
  if (checked.settings === undefined) throw new Error('no settings')
  return checked.settings
}

/** The smallest file, with more below each of its parts. */
export function file({ top = '', upstream = '', route = '', protocol = 'openai' } = {}): string {
  return `version: 1
${top}
upstreams:
  openai:
    protocol: ${protocol}
    endpoints: [{ url: "https://api.openai.com/v1" }]
${indent(upstream, 4)}
routes:
  - match: /v1/**
    upstreams: [openai]
${indent(route, 4)}
`
}

function indent(text: string, by: number): string {
  return text.replace(/^(?=.)/gm, ' '.repeat(by))
}
