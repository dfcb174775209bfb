import { execFile } from 'node:child_process'
import { accessSync, constants, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const debianPostgres = '/usr/lib/postgresql'
const installTimeoutMs = 300_000

/** Programs a test needs, and the Debian package that has them. */
export interface Requirement {
  /** Any one of these will do; the first one found is taken. */
  readonly programs: readonly string[]
  readonly debianPackage: string
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Debian keeps PostgreSQL's servers off the PATH, one folder per version; the newest comes first. */
function postgresFolders(): string[] {
  try {
    return readdirSync(debianPostgres)
      .sort((a, b) => Number(b) - Number(a))
      .map((version) => join(debianPostgres, version, 'bin'))
  } catch {
    return []
  }
}

/** Where a program is, on the PATH or where Debian keeps it. */
export function findProgram(
  programs: readonly string[],
  path = process.env.PATH ?? '',
): string | null {
  const folders = [...path.split(delimiter), '/usr/sbin', ...postgresFolders()].filter(Boolean)
  for (const program of programs) {
    const found = folders.map((folder) => join(folder, program)).find(isExecutable)
    if (found !== undefined) return found
  }
  return null
}

/** What a person has to type to get a Debian package. */
function installCommand(debianPackage: string): string {
  return `apt-get update && apt-get install -y --no-install-recommends ${debianPackage}`
}

export interface InstallSurroundings {
  readonly isRoot: boolean
  readonly find: (programs: readonly string[]) => string | null
  readonly install: (debianPackage: string) => Promise<void>
  /** Told to the person who runs the tests. */
  readonly say: (text: string) => void
}

/** Debian's packages start their service at once, on ports that belong to the machine, unless a policy forbids it. */
const withoutServices = `policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' > "$policy" && chmod 755 "$policy"
fi
`

async function installDebianPackage(debianPackage: string): Promise<void> {
  const options = '-y --no-install-recommends -o DPkg::Lock::Timeout=120'
  const install = `apt-get install ${options} ${debianPackage}`
  // Test files run side by side: the lock lets one of them install and the others wait.
  const script = `${withoutServices}${install} || { apt-get update && ${install}; }`
  await run('flock', [join(tmpdir(), 'tidegate-testkit-install.lock'), 'sh', '-c', script], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    timeout: installTimeoutMs,
    maxBuffer: 64 * 1024 * 1024,
  })
}

export const thisMachine: InstallSurroundings = {
  isRoot: process.getuid?.() === 0,
  find: findProgram,
  install: installDebianPackage,
  say: (text) => process.stderr.write(`${text}\n`),
}

/**
 * The path of a program. Where it is missing, root gets Debian's package installed and is told so;
 * anyone else gets an error with the command to run.
 */
export async function requireProgram(
  { programs, debianPackage }: Requirement,
  surroundings: InstallSurroundings = thisMachine,
): Promise<string> {
  const { isRoot, find, install, say } = surroundings
  const found = find(programs)
  if (found !== null) return found
  const names = programs.join(' or ')
  const help = `Install it with: ${isRoot ? '' : 'sudo '}sh -c '${installCommand(debianPackage)}'`
  if (!isRoot || find(['apt-get']) === null) {
    throw new Error(`The tests need ${names}, which is not on this machine. ${help}`)
  }
  say(`testkit: ${names} is missing; installing Debian's package ${debianPackage}`)
  try {
    await install(debianPackage)
  } catch (cause) {
    throw new Error(`Installing ${debianPackage} failed. ${help}`, { cause })
  }
  const installed = find(programs)
  if (installed === null) throw new Error(`${debianPackage} is installed but has no ${names}.`)
  return installed
}
