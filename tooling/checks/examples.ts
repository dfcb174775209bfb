import { join } from 'node:path'
import { run } from './command.ts'
import { printAll } from './report.ts'
import { projects, root } from './workspace.ts'

// Every example proves itself: its test starts it, uses it as a person would, and stops it.
const wanted = process.argv.slice(2)
const examples = projects()
  .filter(({ dir }) => dir.startsWith('examples/'))
  .filter(({ dir }) => wanted.length === 0 || wanted.includes(dir.slice('examples/'.length)))

const proofs = examples.map(({ dir, manifest }) => ({
  name: dir,
  problems: async () => {
    if (manifest.scripts?.test === undefined) return [`${dir}/package.json: has no "test" script`]
    const tested = await run(process.execPath, ['--run', 'test'], {
      cwd: join(root, dir),
      timeoutMs: 120_000,
    })
    return tested.ok ? [] : [tested.output]
  },
}))

process.exitCode = (await printAll('examples', proofs)) ? 0 : 1
