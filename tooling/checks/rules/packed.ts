import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { problemAffectsResolutionKind } from '@arethetypeswrong/core/problems'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import type { Check } from '../check.ts'
import { pnpm } from '../command.ts'
import { type Project, publishable, root } from '../workspace.ts'

/** Packs a project as the registry would get it. */
async function pack({ dir }: Project): Promise<Buffer> {
  const destination = await mkdtemp(join(tmpdir(), 'tidegate-pack-'))
  try {
    const file = join(destination, 'package.tgz')
    const packed = await pnpm(['pack', '--out', file], { cwd: join(root, dir) })
    if (!packed.ok) throw new Error(`${dir} can't be packed:\n${packed.output}`)
    return await readFile(file)
  } finally {
    await rm(destination, { recursive: true, force: true })
  }
}

/** Lints a tarball: what it exports is in it, in the format it claims. Suggestions count. */
export async function tarballProblems(name: string, tarball: Buffer): Promise<readonly string[]> {
  const bytes = tarball.buffer.slice(tarball.byteOffset, tarball.byteOffset + tarball.byteLength)
  const { messages, pkg } = await publint({ pack: { tarball: bytes as ArrayBuffer }, strict: true })
  return messages.map((message) => `${name}: ${formatMessage(message, pkg, { color: false })}`)
}

/**
 * Resolves a tarball's types as its users' compilers will. The packages are ESM only, so what
 * `require` and the resolution from before `exports` would find is not asked.
 */
export async function typeResolutionProblems(
  name: string,
  tarball: Buffer,
): Promise<readonly string[]> {
  const analysis = await checkPackage(createPackageFromTarballData(new Uint8Array(tarball)))
  if (analysis.types === false) return [`${name}: ships no types`]
  const { problems } = analysis
  return problems
    .filter((problem) =>
      (['node16-esm', 'bundler'] as const).some((kind) =>
        problemAffectsResolutionKind(problem, kind, analysis),
      ),
    )
    .map((problem) => `${name}: ${JSON.stringify(problem)}`)
}

function onEachTarball(
  name: string,
  find: (name: string, tarball: Buffer) => Promise<readonly string[]>,
): Check {
  return {
    name,
    problems: async () => {
      const found: string[] = []
      for (const project of publishable()) {
        found.push(...(await find(project.manifest.name, await pack(project))))
      }
      return found
    },
  }
}

export const publishing: Check = onEachTarball('publint', tarballProblems)
export const typeResolution: Check = onEachTarball('attw', typeResolutionProblems)
