import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Check } from './check.ts'
import { root } from './workspace.ts'

/**
 * Goes through all the checks, whatever fails, with one line for each and its problems under it. The
 * counts are left in `.reports/NAME.json` for a program to add up.
 *
 * @returns whether every check held
 */
export async function printAll(name: string, checks: readonly Check[]): Promise<boolean> {
  const failed: string[] = []
  for (const check of checks) {
    const startedAt = performance.now()
    const problems = await problemsOf(check)
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
    const verdict = problems.length === 0 ? 'ok' : 'failed'
    console.log(`${verdict.padEnd(7)} ${check.name.padEnd(28)} ${seconds.padStart(6)} s`)
    for (const problem of problems) console.log(problem.replaceAll(/^/gm, '        '))
    if (problems.length > 0) failed.push(check.name)
  }
  const passed = checks.length - failed.length
  mkdirSync(join(root, '.reports'), { recursive: true })
  const counts = JSON.stringify({ passed, failed: failed.length })
  writeFileSync(join(root, '.reports', `${name}.json`), `${counts}\n`)
  const which = failed.length > 0 ? `: ${failed.join(', ')}` : ''
  console.log(`\n${name}: ${passed} ok, ${failed.length} failed${which}`)
  return failed.length === 0
}

async function problemsOf(check: Check): Promise<readonly string[]> {
  try {
    return await check.problems()
  } catch (error) {
    return [error instanceof Error ? (error.stack ?? error.message) : String(error)]
  }
}
