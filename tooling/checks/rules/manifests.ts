import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Check } from '../check.ts'
import { type Manifest, publishable, readText, root } from '../workspace.ts'

/** What every published package says of itself in the same words. */
const shared = {
  license: 'Apache-2.0',
  type: 'module',
  engines: { node: '>=22.19.0' },
  files: ['dist', 'src', '!src/**/*.test.ts', '!src/**/*.fixture.ts'],
} as const

const companions = ['README.md', 'LICENSE', 'tsconfig.json', 'tsup.config.ts']

/** Finds where a package has strayed from the shape all of them share. */
export function manifestProblems(
  dir: string,
  manifest: Manifest,
  has: (file: string) => boolean,
): readonly string[] {
  const fields = manifest as Manifest & Readonly<Record<string, unknown>>
  const problems = Object.entries(shared)
    .filter(([field, value]) => JSON.stringify(fields[field]) !== JSON.stringify(value))
    .map(([field, value]) => `${dir}/package.json: "${field}" has to be ${JSON.stringify(value)}`)
  const folder = dir.split('/').at(-1)
  if (manifest.name !== `@tidegate/${folder}`) {
    problems.push(`${dir}/package.json: "name" has to be "@tidegate/${folder}"`)
  }
  for (const field of ['description', 'sideEffects']) {
    if (fields[field] === undefined) problems.push(`${dir}/package.json: "${field}" is missing`)
  }
  for (const file of companions) {
    if (!has(file)) problems.push(`${dir}/${file}: is missing`)
  }
  return problems
}

/** Finds doors of a package that a document doesn't name: what nobody reads of, nobody opens. */
export function undocumentedDoors(
  path: string,
  text: string,
  { name, exports = {} }: Manifest,
): readonly string[] {
  return Object.keys(exports)
    .filter((key) => key !== './package.json')
    .map((key) => name + key.slice(1))
    .filter((door) => !text.includes(`\`${door}\``))
    .map((door) => `${path}: its table of doors lacks \`${door}\``)
}

export const manifests: Check = {
  name: 'manifests',
  problems: () =>
    publishable().flatMap(({ dir, manifest }) => [
      ...manifestProblems(dir, manifest, (file) => existsSync(join(root, dir, file))),
      ...['README.md', `${dir}/README.md`]
        .filter((path) => existsSync(join(root, path)))
        .flatMap((path) => undocumentedDoors(path, readText(path), manifest)),
    ]),
}
