import { fileURLToPath } from 'node:url'
import { ManagedProcess, pollUntil } from '@tidegate/testkit'
import type { WorkerLine } from './worker.fixture.ts'

type Said<S extends WorkerLine['say']> = Extract<WorkerLine, { say: S }>

const script = fileURLToPath(new URL('./worker.fixture.ts', import.meta.url))

/** A process of its own that opens an embedded database, and what it has said so far. */
export class WorkerProcess implements AsyncDisposable {
  readonly #child: ManagedProcess

  constructor(directory: string, mode: 'hold' | 'write') {
    this.#child = new ManagedProcess({
      command: process.execPath,
      args: ['--conditions=@tidegate/source', script, directory, mode],
      env: { PATH: process.env.PATH ?? '' },
    })
  }

  get lines(): readonly WorkerLine[] {
    const whole = this.#child.stdout.split('\n').slice(0, -1)
    return whole.map((line) => JSON.parse(line) as WorkerLine)
  }

  /** The last number that was acknowledged; `otherwise` when there is none. */
  acknowledged(otherwise: number): number {
    const last = this.lines.findLast((line) => line.say === 'acknowledged')
    return last?.say === 'acknowledged' ? last.number : otherwise
  }

  /** The first line of a kind, as soon as it is said. */
  async heard<S extends WorkerLine['say']>(
    kind: S,
    matches: (line: Said<S>) => boolean = () => true,
  ): Promise<Said<S>> {
    const find = () =>
      this.lines.find((line): line is Said<S> => line.say === kind && matches(line as Said<S>))
    await pollUntil(async () => find() !== undefined || !this.#child.running, {
      timeoutMs: 60_000,
      intervalMs: 2,
      describe: () => `The worker did not say "${kind}".\n${this.#child.output.slice(-2_000)}`,
    })
    const line = find()
    if (line === undefined)
      throw new Error(`The worker ended.\n${this.#child.output.slice(-2_000)}`)
    return line
  }

  /** Kills it without a warning. */
  async kill(): Promise<void> {
    this.#child.signal('SIGKILL')
    await this.#child.exit
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }
}
