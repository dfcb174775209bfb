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
  /** Those that may be meant: all, when what was asked for is none. */
  readonly candidates: readonly [Profile, ...Profile[]]
  readonly problems: readonly Problem[]
}

/** Takes the profile that was asked for, else the one `ENVIRONMENT` names, else development. */
export function chooseProfile(wanted: string | undefined, environment: Environment): ProfileChoice {
  const variable = wanted === undefined ? environment.get(PROFILE_VARIABLE) : undefined
  const name = wanted ?? variable?.value
  const profile = PROFILES.find((one) => one === (name ?? 'development'))
  const unknown = name === undefined && environment.isBroken(PROFILE_VARIABLE)
  if (profile && !unknown) return { profile, candidates: [profile], problems: [] }
  const source: Source = variable?.source ?? { kind: 'default' }
  const problems = name === undefined ? [] : [unknownProfile(name, source)]
  return { profile: 'development', candidates: PROFILES, problems }
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
