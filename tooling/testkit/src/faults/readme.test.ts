import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { scenarios } from '../provider/scenarios.ts'

describe("the README's table of faults", () => {
  it('names every fault and how often it strikes, in order', () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
    const table = readme.slice(readme.indexOf('| Fault |'), readme.indexOf('### `pnpm faults`'))
    const rows = [...table.matchAll(/^\| `([\w-]+)` \|.*\| (\w+) \|$/gm)]
    const told = rows.map(([, name, times]) => ({ name, times }))
    expect(told).toEqual(scenarios.map(({ name, times }) => ({ name, times: String(times) })))
  })
})
