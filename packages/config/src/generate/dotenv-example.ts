import type { ConfigDefinition, RootSchema } from '../core/definition.ts'
import { type Leaf, leavesOf, variablesOf } from '../core/leaves.ts'
import { PROFILE_VARIABLE } from '../core/profile.ts'
import { PROFILES } from '../core/source.ts'
import { oneOf } from '../core/wording.ts'
import { presetText, profileTexts } from './presentation.ts'

/**
 * The `.env.example` of a configuration: every variable with its description, its default and an
 * example. A variable stands uncommented only where a field says so (`dotenv`) or where it is required
 * and has an example: a default that was copied would hide what profiles and files say.
 */
export function toDotenvExample(definition: ConfigDefinition<RootSchema>): string {
  const leaves = leavesOf(definition.schema).filter((leaf) => variablesOf(leaf).length > 0)
  const sections = Map.groupBy(leaves, ({ path }) => String(path[0]))
  const blocks = [...sections].map(([section, members]) => {
    return [`# --- ${section} ---`, ...members.map((leaf) => variable(leaf, definition))].join(
      '\n\n',
    )
  })
  return `${[...head(definition.name), ...blocks].join('\n\n')}\n`
}

function head(name: string): string[] {
  return [
    `# The environment of ${name}. Copy this file to .env and change what you need; what the process's\n# environment sets wins over it. NAME_FILE names a file that holds the value of NAME.`,
    `# ${oneOf(PROFILES)}.\n${PROFILE_VARIABLE}=development`,
  ]
}

function variable(leaf: Leaf, definition: ConfigDefinition<RootSchema>): string {
  const [name, ...others] = variablesOf(leaf)
  const { description = '', example, dotenv } = leaf.meta ?? {}
  const required = leaf.required && leaf.optionalIn === undefined
  const preset = presetText(leaf)
  const byProfile = profileTexts(leaf, definition).map(([profile, text]) => `${profile} ${text}`)
  const facts = [
    ...(required ? ['required'] : []),
    ...(preset ? [`default ${preset}`] : []),
    ...byProfile,
    ...(others.length > 0 ? [`also ${others.join(', ')}`] : []),
  ]
  const comment = `# ${oneLine(description)}${facts.length > 0 ? ` (${oneLine(facts.join('; '))})` : ''}`
  const active = dotenv ?? (required ? example : undefined)
  const line = `${name}=${writeValue(active ?? example ?? preset ?? '')}`
  return `${comment}\n${active === undefined ? '# ' : ''}${line}`
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ')
}

// The reader of .env files takes text in quotes literally up to the same quote.
function writeValue(value: string): string {
  if (/^[^\s"'`#\\]*$/.test(value)) return value
  const quote = ["'", '"', '`'].find((mark) => !value.includes(mark))
  return quote ? `${quote}${value}${quote}` : value
}
