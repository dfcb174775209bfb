import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Loss } from '@tidegate/rate-limit/testing'
import { ManagedProcess, temporaryFolder } from '@tidegate/testkit'
import { type Entry, readEntries } from './limits.ts'
import type { ReplicaSettings } from './replica.ts'

/** Something that happens to a running system, such as those in `troubles.ts`. */
export type Trouble = (stage: Stage) => Promise<unknown>

/** What troubles are made with. */
interface Stage {
  readonly crew: Crew
  /** The next random number of the run's seed, from 0 up to 1. */
  readonly random: () => number
  /** Does what loses the limits' state, in part or as a whole, and notes when. */
  lose(act: () => Promise<unknown>, lagMs?: number): Promise<void>
}

export interface ChaosOptions {
  /** How the replicas reach Redis. */
  readonly redis: ReplicaSettings['redis']
  readonly seed: number
  readonly seconds: number
  readonly replicas: number
  readonly callers: number
  readonly troubles: readonly Trouble[]
  /** The longest time between two troubles, in milliseconds. */
  readonly everyMs: number
}

/** What each replica admitted, and what the limits' state went through meanwhile. */
export interface Chronicle {
  readonly replicas: readonly (readonly Entry[])[]
  readonly losses: readonly Loss[]
}

const replicaFile = fileURLToPath(new URL('replica.ts', import.meta.url))

const now = (): number => Number(process.hrtime.bigint()) / 1e6

/** Runs replicas against one Redis, makes trouble by a seed, and tells what came of it. */
export async function runChaos(options: ChaosOptions): Promise<Chronicle> {
  await using folder = await temporaryFolder('promise')
  const random = mulberry32(options.seed)
  const crew = new Crew(folder.path, options, random)
  const losses: Loss[] = []
  const lose = async (act: () => Promise<unknown>, lagMs = 0): Promise<void> => {
    const from = now()
    await act()
    losses.push({ from, to: now(), lagMs })
  }
  try {
    const end = now() + options.seconds * 1_000
    while (now() < end) {
      await sleep(random() * options.everyMs)
      const trouble = options.troubles[Math.floor(random() * options.troubles.length)]
      await trouble?.({ crew, random, lose })
    }
  } finally {
    await crew.end()
  }
  return { replicas: await crew.entries(), losses }
}

/** The replicas that run, and the files of all that ever ran. */
class Crew {
  readonly #folder: string
  readonly #options: ChaosOptions
  readonly #random: () => number
  readonly #files: string[] = []
  readonly #running: ManagedProcess[] = []

  constructor(folder: string, options: ChaosOptions, random: () => number) {
    this.#folder = folder
    this.#options = options
    this.#random = random
    for (let at = 0; at < options.replicas; at += 1) this.#running.push(this.#start())
  }

  /** Kills one, and starts another in its place. */
  async replace(): Promise<void> {
    const at = Math.floor(this.#random() * this.#running.length)
    const [killed] = this.#running.splice(at, 1, this.#start())
    killed?.signal('SIGKILL')
    await killed?.exit
  }

  /** Stops one for up to a second: longer than its leases live. */
  async pause(): Promise<void> {
    const replica = this.#running[Math.floor(this.#random() * this.#running.length)]
    replica?.signal('SIGSTOP')
    await sleep(50 + this.#random() * 900)
    replica?.signal('SIGCONT')
  }

  async end(): Promise<void> {
    for (const replica of this.#running) replica.signal('SIGKILL')
    await Promise.all(this.#running.map(({ exit }) => exit))
  }

  /** Of each replica; what one says on its way out is told as an error. */
  async entries(): Promise<Entry[][]> {
    const failed = this.#running.find(({ stderr }) => stderr !== '')
    if (failed !== undefined) throw new Error(`A replica failed.\n${failed.output}`)
    return await Promise.all(
      this.#files.map(async (file) => readEntries(await readFile(file, 'utf8').catch(() => ''))),
    )
  }

  #start(): ManagedProcess {
    const file = join(this.#folder, `replica-${this.#files.length}`)
    this.#files.push(file)
    const settings: ReplicaSettings = {
      redis: this.#options.redis,
      file,
      callers: this.#options.callers,
      skewMs: Math.round((this.#random() - 0.5) * 7_200_000),
      pauseMs: 8,
    }
    return new ManagedProcess({
      command: process.execPath,
      args: ['--conditions=@tidegate/source', replicaFile, JSON.stringify(settings)],
      env: { PATH: process.env.PATH ?? '' },
    })
  }
}

/** A small generator of random numbers that can be repeated (Tommy Ettinger's mulberry32). */
function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
