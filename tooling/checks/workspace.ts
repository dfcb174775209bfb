import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root: string = fileURLToPath(new URL('../..', import.meta.url))

type Names = Readonly<Record<string, string>>

/** What the checks read of a `package.json`. */
export interface Manifest {
  readonly name: string
  readonly version?: string
  readonly private?: boolean
  readonly exports?: Readonly<Record<string, unknown>>
  readonly scripts?: Names
  readonly dependencies?: Names
  readonly devDependencies?: Names
  readonly peerDependencies?: Names
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>
}

export interface Project {
  /** Path from the root with forward slashes: `packages/config`. */
  readonly dir: string
  readonly manifest: Manifest
}

/**
 * The repository's own files, from the root: what git tracks and what it would track. Not what is
 * ignored, so a check never reads a build or a neighbour's cache.
 */
export function repositoryFiles(): readonly string[] {
  // A clone made by another user (a container's mount) is still only read.
  const args = ['-c', 'safe.directory=*', 'ls-files', '-z', '--cached', '--others']
  const listed = execFileSync('git', [...args, '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  const files = new Set(listed.split('\0').filter((file) => file !== ''))
  return [...files].filter((file) => existsSync(join(root, file))).sort()
}

export function readText(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

/** Every workspace project below the root, apps and examples among them. */
export function projects(files: readonly string[] = repositoryFiles()): readonly Project[] {
  return files
    .filter((file) => /^(packages|apps|tooling|examples)\/[^/]+\/package\.json$/.test(file))
    .map((file) => ({ dir: dirname(file), manifest: JSON.parse(readText(file)) as Manifest }))
}

/** The projects that are published. */
export function publishable(all: readonly Project[] = projects()): readonly Project[] {
  return all.filter((project) => project.dir.startsWith('packages/') && !project.manifest.private)
}

/** The projects that have versions: what is published, and the apps, which users deploy. */
export function released(all: readonly Project[] = projects()): readonly Project[] {
  return [...publishable(all), ...all.filter((project) => project.dir.startsWith('apps/'))]
}
