import { readFile, readlink } from 'node:fs/promises'
import { hostname } from 'node:os'

/** Names one process: its number alone is given to others after its end. */
export interface ProcessIdentity {
  readonly pid: number
  readonly host: string
  /** The running of the machine and the process namespace in which `pid` counts; empty where unknown. */
  readonly space: string
  /** When the process began, in the system's ticks; empty where unknown. */
  readonly began: string
}

async function readOr(reading: Promise<string>): Promise<string> {
  return (await reading.catch(() => '')).trim()
}

/** State and start of a process from `/proc`; undefined where there is no such file. */
async function statOf(pid: number): Promise<{ state: string; began: string } | undefined> {
  const stat = await readOr(readFile(`/proc/${pid}/stat`, 'utf8'))
  if (stat === '') return undefined
  // The name, in parentheses, may hold spaces; after it come the state (field 3) and the rest.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return { state: fields[0] ?? '', began: fields[19] ?? '' }
}

async function currentSpace(): Promise<string> {
  const boot = await readOr(readFile('/proc/sys/kernel/random/boot_id', 'utf8'))
  const namespace = await readOr(readlink('/proc/self/ns/pid'))
  return boot === '' ? '' : `${boot} ${namespace}`
}

/** Names the process that asks. */
export async function ownIdentity(): Promise<ProcessIdentity> {
  const stat = await statOf(process.pid)
  const space = await currentSpace()
  return { pid: process.pid, host: hostname(), space, began: stat?.began ?? '' }
}

/**
 * Whether another process still runs: `unknown` when it belongs to another machine or container, whose
 * numbers mean nothing here, or where the system doesn't show others' processes.
 */
export async function livenessOf(other: ProcessIdentity): Promise<'alive' | 'dead' | 'unknown'> {
  const own = await ownIdentity()
  if (other.space !== own.space || other.host !== own.host) return 'unknown'
  const [first, stat] = await Promise.all([statOf(1), statOf(other.pid)])
  // The first process is always there: who can't see it sees nobody else's.
  if (first === undefined) return 'unknown'
  const isSame = stat !== undefined && stat.began === other.began && stat.state !== 'Z'
  return isSame ? 'alive' : 'dead'
}
