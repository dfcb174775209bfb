/** The oldest Node that the companion runs on. */
const OLDEST = [22, 19] as const

/** What to say to somebody whose Node is too old; `undefined` when it isn't. */
export function findNodeFault(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return undefined
  return `The companion needs Node ${OLDEST.join('.')} or newer, and this is Node ${version}. In a clone, "npx -y pnpm@12 start" brings its own.`
}
