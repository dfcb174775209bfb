import { type InstallSurroundings, type Requirement, thisMachine } from './binaries.ts'
import { chromiumPrograms } from './chromium.ts'

/** Every program of the machine that a test may ask for. */
const requirements: readonly Requirement[] = [
  { programs: ['redis-server', 'valkey-server'], debianPackage: 'redis-server' },
  { programs: ['postgres'], debianPackage: 'postgresql' },
  { programs: ['openssl'], debianPackage: 'openssl' },
  { programs: ['prometheus'], debianPackage: 'prometheus' },
  { programs: chromiumPrograms, debianPackage: 'chromium' },
]

/**
 * Installs at once what is missing, where it can be. An installation in the middle of a run keeps
 * waiting every test beside it that needs one too, so a whole run begins with this. What fails here is
 * told by the test that needs it.
 */
export async function installMissing(
  surroundings: InstallSurroundings = thisMachine,
): Promise<void> {
  const { isRoot, find, install, say } = surroundings
  const missing = requirements.filter(({ programs }) => find(programs) === null)
  if (missing.length === 0 || !isRoot || find(['apt-get']) === null) return
  const packages = missing.map(({ debianPackage }) => debianPackage).join(' ')
  say(`testkit: installing what the tests need of Debian's packages: ${packages}`)
  await install(packages).catch((error: unknown) => say(`testkit: ${String(error)}`))
}
