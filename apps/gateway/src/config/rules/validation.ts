import { eachKnown, known, type Problem, type Report } from '@tidegate/config'
import { createBodyValidator } from '@tidegate/server'
import type { GatewayConfig } from '../schema/gateway.ts'

type Rules = Parameters<typeof createBodyValidator>[0]

/**
 * What keeps the routes' `validate` rules from being compiled, such as a JSON Schema that is none. Not
 * among the rules of the definition, as a compiler has to be loaded.
 */
export async function checkValidation(
  draft: GatewayConfig,
  origins: Report['origins'],
): Promise<readonly Problem[]> {
  const routes = known(() => draft.routes) ?? []
  const given = eachKnown(routes, ({ validate }, index) => {
    const parts = validate === undefined ? [] : (['schema', 'required', 'contentType'] as const)
    // Copied, as what is wrong deep within has to be read here and not by the compiler.
    const rules: Rules = Object.fromEntries(
      eachKnown(parts, (part) => [[part, structuredClone(validate?.[part])]]),
    )
    return [{ rules, path: `routes[${index}].validate` }]
  })
  const found = await Promise.all(given.map(({ rules, path }) => findFaults(rules, path, origins)))
  return found.flat()
}

async function findFaults(
  rules: Rules,
  path: string,
  origins: Report['origins'],
): Promise<readonly Problem[]> {
  const [schema, required, whole] = await Promise.all([
    findFault({ schema: rules.schema }),
    findFault({ required: rules.required }),
    findFault(rules),
  ])
  const together = whole === schema || whole === required ? undefined : whole
  return [
    ...problemAt(`${path}.schema`, schema, origins),
    ...problemAt(`${path}.required`, required, origins),
    ...problemAt(path, together, origins),
  ]
}

async function findFault(rules: Rules): Promise<string | undefined> {
  try {
    await createBodyValidator(rules)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message.replace(/\.$/, '') : 'is not understood'
  }
}

function problemAt(
  path: string,
  message: string | undefined,
  origins: Report['origins'],
): readonly Problem[] {
  if (message === undefined) return []
  const near = origins.find((origin) => origin.path.startsWith(path))
  return [{ code: 'refused', path, message, source: near?.source ?? { kind: 'default' } }]
}
