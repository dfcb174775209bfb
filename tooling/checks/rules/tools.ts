import type { Check } from '../check.ts'
import { inPairs, pnpm, run } from '../command.ts'
import { repositoryFiles } from '../workspace.ts'

/** Builds what later checks read: packed tarballs, README blocks and examples see `dist`. */
export const build: Check = {
  name: 'build',
  problems: async () => {
    const built = await pnpm(['run', '--silent', 'build'])
    return built.ok ? [] : [built.output]
  },
}

export const format: Check = {
  name: 'format',
  problems: async () => {
    const checked = await run('biome', ['check', '--error-on-warnings', '.'])
    return checked.ok
      ? []
      : [checked.output, 'Most of this is repaired by: npx biome check --write .']
  },
}

export const types: Check = {
  name: 'types',
  problems: async () => {
    const configs = repositoryFiles().filter((file) =>
      /^(packages|apps|examples|tooling)\/[^/]+\/tsconfig\.json$/.test(file),
    )
    const checked = await inPairs(configs, (config) =>
      run('tsc', ['--pretty', 'false', '-p', config]),
    )
    return checked.filter(({ ok }) => !ok).map(({ output }) => output)
  },
}

export const unused: Check = {
  name: 'unused',
  problems: async () => {
    const checked = await run('knip', ['--config', 'tooling/knip/knip.json', '--no-progress'])
    return checked.ok ? [] : [checked.output]
  },
}
