import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Check } from '../check.ts'
import { run } from '../command.ts'
import { root } from '../workspace.ts'

const generator = 'apps/gateway/scripts/generate.ts'

/** What is generated from the configuration's schema says the same as the schema. */
export const generated: Check = {
  name: 'generated',
  problems: async () => {
    if (!existsSync(join(root, generator))) return []
    const checked = await run(process.execPath, [generator, '--check'])
    return checked.ok ? [] : [checked.output, `Repaired by: node ${generator}`]
  },
}
