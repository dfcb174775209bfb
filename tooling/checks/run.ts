import type { Check } from './check.ts'
import { printAll } from './report.ts'
import { changesets } from './rules/changesets.ts'
import { configurations } from './rules/configurations.ts'
import { doors } from './rules/doors.ts'
import { failureModes } from './rules/failure-modes.ts'
import { generated } from './rules/generated.ts'
import { imports } from './rules/imports.ts'
import { licences } from './rules/licences.ts'
import { links } from './rules/links.ts'
import { manifests } from './rules/manifests.ts'
import { publishing, typeResolution } from './rules/packed.ts'
import { readme } from './rules/readme.ts'
import { leftovers, machines, sizes } from './rules/text.ts'
import { build, format, types, unused } from './rules/tools.ts'

// The build comes first: what follows reads its output.
const checks: readonly Check[] = [
  build,
  format,
  types,
  doors,
  imports,
  manifests,
  unused,
  publishing,
  typeResolution,
  licences,
  generated,
  readme,
  configurations,
  links,
  failureModes,
  changesets,
  sizes,
  leftovers,
  machines,
]

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !checks.some((check) => check.name === name))
if (unknown.length > 0) {
  console.error(
    `No check is named ${unknown.join(', ')}. There are: ${checks.map((c) => c.name).join(' ')}`,
  )
  process.exit(2)
}
const chosen = wanted.length === 0 ? checks : checks.filter(({ name }) => wanted.includes(name))
process.exitCode = (await printAll('checks', chosen)) ? 0 : 1
