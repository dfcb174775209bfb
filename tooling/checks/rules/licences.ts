import type { Check } from '../check.ts'
import { pnpm } from '../command.ts'

/** Licences that ask for no more than attribution. Another one is a decision: write it down before adding it. */
const allowed = new Set([
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'CC-BY-4.0',
  'CC0-1.0',
  'ISC',
  'MIT',
  'MIT-0',
  'PostgreSQL',
  'Python-2.0',
  'Unlicense',
  'Zlib',
])

/** Licence expression → the dependencies under it, as the package manager lists them. */
export type LicenceReport = Readonly<
  Record<string, readonly { readonly name: string; readonly versions: readonly string[] }[]>
>

/** Finds the dependencies whose licence is not on the list. */
export function licenceProblems(report: LicenceReport): readonly string[] {
  return Object.entries(report)
    .filter(([expression]) => !isAllowed(expression))
    .flatMap(([expression, dependencies]) =>
      dependencies.map(
        ({ name, versions }) =>
          `${name}@${versions.join(', ')}: licence "${expression}" is not on the list`,
      ),
    )
}

function isAllowed(expression: string): boolean {
  const names = expression.replaceAll(/[()]/g, '').split(/\s+(AND|OR)\s+/)
  const licences = names.filter((name) => name !== 'AND' && name !== 'OR')
  // One choice is enough among alternatives; anything mixed has to be allowed whole.
  const alternatives = names.includes('OR') && !names.includes('AND')
  return alternatives
    ? licences.some((name) => allowed.has(name))
    : licences.every((name) => allowed.has(name))
}

export const licences: Check = {
  name: 'licences',
  problems: async () => {
    const listed = await pnpm(['--recursive', 'licenses', 'list', '--json', '--prod'])
    if (!listed.ok) return [listed.output]
    const report = JSON.parse(listed.stdout) as LicenceReport
    // A list that is empty by mistake would allow everything.
    if (Object.keys(report).length === 0) return ['no production dependency was listed']
    return licenceProblems(report)
  },
}
