import type { Check } from '../check.ts'
import { run } from '../command.ts'
import { readText, released, repositoryFiles } from '../workspace.ts'

export interface ReleaseState {
  readonly name: string
  readonly version: string
  /** Whether what is shipped differs from what this version's tag holds. `unknown`: there is no such tag here. */
  readonly changed: boolean | 'unknown'
}

export interface Changeset {
  readonly path: string
  readonly text: string
}

const firstVersion = '0.0.0'

/** Finds packages whose users would see a change that no changeset tells, and changesets that can't be released. */
export function changesetProblems(
  packages: readonly ReleaseState[],
  changesets: readonly Changeset[],
): readonly string[] {
  const known = new Set(packages.map(({ name }) => name))
  const announced = new Set<string>()
  const problems: string[] = []
  for (const { path, text } of changesets) {
    const parsed = /^---\n([\s\S]*?)\n?---\n([\s\S]*)$/.exec(text)
    if (parsed === null || parsed[2]?.trim() === '') {
      problems.push(
        `${path}: a changeset is front matter ("package": minor) and one imperative sentence`,
      )
      continue
    }
    for (const line of (parsed[1] ?? '').split('\n').filter((line) => line.trim() !== '')) {
      const name = /^["']?([^"']+)["']?: (major|minor|patch)$/.exec(line.trim())?.[1]
      if (name === undefined)
        problems.push(`${path}: "${line}" is not "package": major | minor | patch`)
      else if (known.has(name)) announced.add(name)
      else problems.push(`${path}: there is no package or app ${name} to release`)
    }
  }
  for (const { name, version, changed } of packages) {
    const needsOne = version === firstVersion || changed === true
    if (needsOne && !announced.has(name)) {
      problems.push(
        `${name}: changed since ${version} and no changeset says so; run: npx changeset`,
      )
    }
  }
  return problems
}

const git = (...args: string[]) => run('git', ['-c', 'safe.directory=*', ...args])

/** Compares what is shipped with the tag of the version in package.json. */
async function stateOf(dir: string, name: string, version: string): Promise<ReleaseState> {
  const tag = `refs/tags/${name}@${version}`
  if (version === firstVersion || !(await hasTag(tag))) return { name, version, changed: 'unknown' }
  const shipped = [
    `${dir}/src`,
    `${dir}/package.json`,
    ':(exclude)*.test.ts',
    ':(exclude)*.fixture.ts',
  ]
  const same = await git('diff', '--quiet', tag, '--', ...shipped)
  return { name, version, changed: !same.ok }
}

/**
 * A shallow clone has no tags, so its origin is asked. A version without a tag anywhere is about to be
 * published, and its changesets are consumed.
 */
async function hasTag(tag: string): Promise<boolean> {
  if ((await git('rev-parse', '--verify', '--quiet', tag)).ok) return true
  if (!(await git('ls-remote', '--exit-code', 'origin', tag)).ok) return false
  const fetched = await git('fetch', '--quiet', '--depth', '1', 'origin', `${tag}:${tag}`)
  if (!fetched.ok) throw new Error(`${tag} exists and can't be fetched:\n${fetched.output}`)
  return true
}

export const changesets: Check = {
  name: 'changesets',
  problems: async () => {
    const packages: ReleaseState[] = []
    // One after the other: git can't fetch into one clone twice at a time.
    for (const { dir, manifest } of released()) {
      packages.push(await stateOf(dir, manifest.name, manifest.version ?? firstVersion))
    }
    const files = repositoryFiles().filter(
      (file) => /^\.changeset\/[^/]+\.md$/.test(file) && !file.endsWith('/README.md'),
    )
    const written = files.map((path) => ({ path, text: readText(path) }))
    return changesetProblems(packages, written)
  },
}
