import { field } from '@tidegate/config'
import { z } from 'zod'

/** Variables by their own names, each taken as the text that it is. */
export function textVariables(names: readonly string[], description: string) {
  const variable = (env: string) => field(z.string().optional(), { env, description })
  return z
    .strictObject(Object.fromEntries(names.map((env) => [env, variable(env)] as const)))
    .prefault({})
}
