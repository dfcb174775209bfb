import type { ConfigDefinition, RootSchema } from '../core/definition.ts'
import { metaOf } from '../core/field.ts'
import { type Leaf, leavesOf, unwrap, variablesOf } from '../core/leaves.ts'
import type { Path } from '../core/path.ts'
import { code, presetText, profileTexts, typeName } from './presentation.ts'

/** The reference page of a configuration in Markdown: a table per section. */
export function toMarkdown(definition: ConfigDefinition<RootSchema>): string {
  const leaves = leavesOf(definition.schema)
  const general = leaves.filter(({ path }) => path.length === 1)
  const sections = Map.groupBy(
    leaves.filter(({ path }) => path.length > 1),
    ({ path }) => String(path[0]),
  )
  const blocks = [...sections].map(([section, members]) =>
    [`## ${section}`, ...describe(section, definition), table(members, definition)].join('\n\n'),
  )
  return `${[
    `# Configuration of ${definition.name}`,
    'Precedence, lowest first: defaults, profile, files, `.env`, environment, `NAME_FILE` secrets.',
    ...(general.length > 0 ? [table(general, definition)] : []),
    ...blocks,
  ].join('\n\n')}\n`
}

function describe(section: string, { schema }: ConfigDefinition<RootSchema>): string[] {
  const child = schema.shape[section]
  const description = child && (metaOf(child) ?? unwrap(child).meta)?.description
  return description ? [description] : []
}

function table(leaves: readonly Leaf[], definition: ConfigDefinition<RootSchema>): string {
  const rows = leaves.map((leaf) => [
    code(writePath(leaf.path)),
    variablesOf(leaf).map(code).join(', '),
    typeName(leaf),
    defaults(leaf, definition),
    leaf.meta?.description ?? '',
  ])
  return [
    '| Key | Variable | Type | Default | Description |',
    '|---|---|---|---|---|',
    ...rows.map((row) => `| ${row.map(cell).join(' | ')} |`),
  ].join('\n')
}

function defaults(leaf: Leaf, definition: ConfigDefinition<RootSchema>): string {
  const preset = presetText(leaf)
  const own = preset ? code(preset) : leaf.required ? requirement(leaf) : ''
  const byProfile = profileTexts(leaf, definition).map(([name, text]) => `${name} ${code(text)}`)
  return [own, ...byProfile].filter(Boolean).join('; ')
}

function requirement({ optionalIn }: Leaf): string {
  return optionalIn ? `required in ${code(writePath(optionalIn))}` : 'required'
}

// Keys that a user chooses and list items, unlike formatPath's, are placeholders.
function writePath(path: Path): string {
  return path.reduce<string>(
    (text, part) => (part === '[]' ? `${text}[]` : text ? `${text}.${part}` : String(part)),
    '',
  )
}

function cell(text: string): string {
  return text.replace(/\s+/g, ' ').replaceAll('|', '\\|')
}
