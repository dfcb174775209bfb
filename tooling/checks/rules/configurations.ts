import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Check } from '../check.ts'
import { inPairs, run } from '../command.ts'
import { readText, repositoryFiles, root } from '../workspace.ts'

const gateway = join(root, 'apps/gateway/dist/cli.js')

/** A whole configuration of the gateway in a document: a YAML fence that begins with its version. */
export interface Configuration {
  readonly line: number
  readonly yaml: string
}

export function configurationsIn(markdown: string): readonly Configuration[] {
  return [...markdown.matchAll(/^```yaml\n(version:[\s\S]*?)^```/gm)].map((match) => ({
    line: markdown.slice(0, match.index).split('\n').length + 1,
    yaml: match[1] ?? '',
  }))
}

/** Asks the gateway itself, with a value for every variable that the configuration names. */
export async function configurationProblems(
  path: string,
  { line, yaml }: Configuration,
): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-check-'))
  try {
    const file = join(folder, 'tidegate.yaml')
    await writeFile(file, yaml)
    const names = [...yaml.matchAll(/\$\{(\w+)/g)].map(([, name = '']) => name)
    const env = Object.fromEntries(names.map((name) => [name, `a-value-for-${name}-0123456789`]))
    const checked = await run(process.execPath, [gateway, 'check', file], { cwd: folder, env })
    return checked.ok
      ? []
      : [`${path}:${line}: the configuration is refused:\n${checked.output.replaceAll(file, path)}`]
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

export const configurations: Check = {
  name: 'configurations',
  problems: async () => {
    const found = repositoryFiles()
      .filter((file) => file.endsWith('.md') && !file.startsWith('.changeset/'))
      .flatMap((path) => configurationsIn(readText(path)).map((each) => ({ path, each })))
    const problems = await inPairs(found, ({ path, each }) => configurationProblems(path, each))
    return problems.flat()
  },
}
