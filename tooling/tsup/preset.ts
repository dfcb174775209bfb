import { readFileSync } from 'node:fs'
import type { Options } from 'tsup'

interface Manifest {
  readonly exports?: Record<string, unknown>
}

/**
 * Builds every door of a package: each key of its `exports` is `src/<door>.ts`, and only those are
 * entries. Nothing is listed twice, so a door can't be built and not exported, or the reverse.
 *
 * Declarations are made from the dependencies' built declarations (turbo builds them first), never
 * from their sources, so what is published is what was checked.
 */
export function library(overrides: Options = {}): Options {
  const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest
  const doors = Object.keys(manifest.exports ?? {}).filter((key) => key !== './package.json')
  return {
    entry: Object.fromEntries(
      doors.map((key) => {
        const door = key === '.' ? 'index' : key.slice(2)
        return [door, `src/${door}.ts`]
      }),
    ),
    format: 'esm',
    target: 'node22',
    platform: 'node',
    dts: { compilerOptions: { customConditions: [] } },
    sourcemap: true,
    clean: true,
    splitting: true,
    treeshake: true,
    ...overrides,
  }
}
