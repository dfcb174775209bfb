import { existsSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import type { Check } from '../check.ts'
import { readText, repositoryFiles, root } from '../workspace.ts'

/** Reads a file of the repository, or says that there is none. A folder is an empty file. */
export type Lookup = (path: string) => string | undefined

/** Finds links to files and headings that don't exist. Addresses on the web are not followed. */
export function linkProblems(path: string, text: string, lookup: Lookup): readonly string[] {
  const problems: string[] = []
  for (const [, target = ''] of prose(text).matchAll(/\]\(\s*<?([^\s)>]+)>?[^)]*\)/g)) {
    if (/^[a-z][a-z0-9+.-]*:/i.test(target)) continue
    const [file = '', heading] = target.split('#')
    const linked = file === '' ? path : posix.join(dirname(path), decodeURIComponent(file))
    const content = linked === path ? text : lookup(linked)
    if (content === undefined) {
      problems.push(`${path}: links to ${target}, which does not exist`)
    } else if (heading !== undefined && linked.endsWith('.md') && !slugs(content).has(heading)) {
      problems.push(`${path}: links to ${target}, and there is no such heading`)
    }
  }
  return problems
}

function prose(text: string): string {
  return text.replaceAll(/^(`{3,}|~{3,})[\s\S]*?^\1/gm, '').replaceAll(/`[^`\n]*`/g, '')
}

/** Headings as GitHub makes them into anchors. */
function slugs(text: string): ReadonlySet<string> {
  const headings = text
    .replaceAll(/^(`{3,}|~{3,})[\s\S]*?^\1/gm, '')
    .matchAll(/^#{1,6} +(.+?) *$/gm)
  const found = new Set<string>()
  for (const [, heading = ''] of headings) {
    const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
    const slug = plain.replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, '').replaceAll(' ', '-')
    let unique = slug
    for (let count = 1; found.has(unique); count += 1) unique = `${slug}-${count}`
    found.add(unique)
  }
  return found
}

function lookup(path: string): string | undefined {
  if (!existsSync(join(root, path))) return undefined
  return path.endsWith('.md') ? readText(path) : ''
}

export const links: Check = {
  name: 'links',
  problems: () =>
    repositoryFiles()
      .filter((file) => file.endsWith('.md') && !file.endsWith('CHANGELOG.md'))
      .flatMap((file) => linkProblems(file, readText(file), lookup)),
}
