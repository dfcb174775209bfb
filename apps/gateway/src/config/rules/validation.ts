import type { Problem, Report, Source } from '@tidegate/config'
import { createBodyValidator } from '@tidegate/server'
import type { RouteSettings } from '../settings.ts'

/** What keeps the routes' `validate` rules from being compiled, such as a JSON Schema that is none. */
export async function checkValidation(
  routes: readonly RouteSettings[],
  origins: Report['origins'],
): Promise<readonly Problem[]> {
  const found = await Promise.all(
    routes.map(async ({ validate }, index) => {
      const message = validate && (await findFault(validate))
      return message === undefined ? [] : [problemAt(`routes[${index}].validate`, message, origins)]
    }),
  )
  return found.flat()
}

async function findFault(
  rules: NonNullable<RouteSettings['validate']>,
): Promise<string | undefined> {
  try {
    await createBodyValidator(rules)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message.replace(/\.$/, '') : 'is not understood'
  }
}

function problemAt(path: string, message: string, origins: Report['origins']): Problem {
  const near = origins.find((origin) => origin.path.startsWith(path))
  const source: Source = near?.source ?? { kind: 'default' }
  return { code: 'refused', path, message, source }
}
