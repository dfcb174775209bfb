import type { Environment } from './environment.ts'
import { formatPath, quote } from './path.ts'
import type { Problem } from './problem.ts'
import { PROFILES, type Profile, type Source } from './source.ts'
import { suggest } from './suggest.ts'
import { oneOf } from './wording.ts'

/** The variable that names the profile. */
export const PROFILE_VARIABLE = 'ENVIRONMENT'

/** The profile to use, and the problem when what was asked for is none. */
export interface ProfileChoice {
  readonly profile: Profile
  readonly problems: readonly Problem[]
}

/** Takes the profile that was asked for, else the one `ENVIRONMENT` names, else development. */
export function chooseProfile(wanted: string | undefined, environment: Environment): ProfileChoice {
  const variable = wanted === undefined ? environment.get(PROFILE_VARIABLE) : undefined
  const name = wanted ?? variable?.value
  if (name === undefined) return { profile: 'development', problems: [] }
  const profile = PROFILES.find((known) => known === name)
  if (profile) return { profile, problems: [] }
  const source: Source = variable?.source ?? { kind: 'default' }
  return { profile: 'development', problems: [unknownProfile(name, source)] }
}

function unknownProfile(name: string, source: Source): Problem {
  const expected = oneOf(PROFILES)
  const suggestion = suggest(name, PROFILES)
  return {
    code: 'unknown_profile',
    path: formatPath([]),
    message: `unknown profile ${quote(name)}: expected ${expected}`,
    expected,
    ...(suggestion === undefined ? {} : { suggestion }),
    source,
  }
}
