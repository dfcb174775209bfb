import { defineConfig, toDotenvExample, toJsonSchema, toMarkdown } from '@tidegate/config'
import { z } from 'zod'
import { LATER_VARIABLES, processDefinition } from './environment.ts'
import { limitsDefinition } from './limit-variables.ts'
import { OTEL_VARIABLES } from './otel-variables.ts'
import { providersDefinition } from './providers.ts'
import { gatewaySchema } from './schema/gateway.ts'

/** A file that says what the schema says. */
export interface GeneratedFile {
  /** From the repository's root. */
  readonly path: string
  readonly text: string
}

/** Everything that is written from the configuration's schema, so that it can't say anything else. */
export function createReference(): readonly GeneratedFile[] {
  const definition = defineConfig({ name: 'tidegate', schema: gatewaySchema })
  return [
    { path: '.env.example', text: dotenvExample() },
    {
      path: 'apps/gateway/tidegate.schema.json',
      text: `${JSON.stringify(toJsonSchema(definition), null, 2)}\n`,
    },
    { path: 'docs/guide/configuration.md', text: referencePage(toMarkdown(definition)) },
  ]
}

function dotenvExample(): string {
  const { server, admin, logging, redis, sessions, health, telemetry } = gatewaySchema.shape
  const { providers } = providersDefinition.schema.shape
  const { debug } = processDefinition.schema.shape
  const { enabled, perMinute, burst } = limitsDefinition.schema.shape.limits.unwrap().shape
  // The other way to say it is not there: both at once are an error.
  const limits = z.strictObject({ perMinute, burst, enabled }).prefault({})
  const schema = z.strictObject({
    providers,
    limits,
    sessions,
    health,
    server,
    admin,
    redis,
    logging,
    telemetry,
    debug,
  })
  const names = LATER_VARIABLES.map((name) => `#   ${name}`).join('\n')
  return `${toDotenvExample(defineConfig({ name: 'tidegate', schema }))}
# --- not built yet: setting these has no effect, and a start says so ---

${names}
`
}

function referencePage(tables: string): string {
  return `<!-- Written by apps/gateway/scripts/generate.ts from the schema: change that. -->

${tables
  .split('\n')
  .filter((line) => !line.includes('schema.<name>'))
  .map((line) => line.replace('| `{}` |', '| as below |'))
  .join('\n')}
## Without a file

These variables make upstreams and routes when \`tidegate start\` gets no file. With none of the first
four, \`/v1/**\` is answered by a local demo model that says what it is.

${variableTable(toMarkdown(providersDefinition))}

## Limits without a file

These limit each address on every route when there is no file. With one, \`limits\` and \`routes[].limits\` say
what is limited, and a start says so of each of these that is set.

${variableTable(toMarkdown(limitsDefinition))}

## Variables without a key

${variableTable(toMarkdown(processDefinition), ['DEBUG'])}

OpenTelemetry's own variables are obeyed as well, above a file; one that can't be read is left out, and a start
says so: ${OTEL_VARIABLES.map((name) => `\`${name}\``).join(', ')}.

\`ENVIRONMENT\` chooses the profile: \`development\` (unless it is set), \`test\`, \`staging\` or
\`production\`.

Known, and not built yet: ${LATER_VARIABLES.map((name) => `\`${name}\``).join(', ')}. Setting one has no
effect, and a start says so.
`
}

/** The rows of a reference's tables that have a variable, without the key that files would use. */
function variableTable(markdown: string, only?: readonly string[]): string {
  const rows = markdown
    .split('\n')
    .map((line) => /^\| [^|]* \| `(\w+)` \|/.exec(line))
    .filter((row) => row !== null && (only === undefined || only.includes(row[1] ?? '')))
    .map((row) => row?.input.replace(/^\| [^|]*/, ''))
  return ['| Variable | Type | Default | Description |', '|---|---|---|---|', ...rows].join('\n')
}
