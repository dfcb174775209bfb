/** Where a server runs. Staging behaves as production does; test as development. */
export type Profile = 'development' | 'test' | 'staging' | 'production'

/** True where strangers can reach the server: production, and staging which rehearses it. */
export function isStrict(profile: Profile): boolean {
  return profile === 'production' || profile === 'staging'
}
