import { memoryHistoryStore } from './memory-store.ts'
import type { HistoryStore } from './store.ts'

/** A store that can be away, and that may take what it doesn't confirm. */
export class Unsteady implements HistoryStore {
  readonly #store = memoryHistoryStore()
  is: 'there' | 'away' | 'mute' = 'there'
  asked = 0

  async add(batch: Parameters<HistoryStore['add']>[0]): Promise<void> {
    return await this.#go(true, () => this.#store.add(batch))
  }

  async read(request: Parameters<HistoryStore['read']>[0]) {
    return await this.#go(false, () => this.#store.read(request))
  }

  async metrics(at: number) {
    return await this.#go(false, () => this.#store.metrics(at))
  }

  async leave(instance: string): Promise<void> {
    return await this.#go(false, () => this.#store.leave(instance))
  }

  async #go<T>(isWrite: boolean, run: () => Promise<T>): Promise<T> {
    this.asked += 1
    if (this.is === 'mute' && isWrite) await run()
    if (this.is !== 'there' && (isWrite || this.is === 'away')) throw new Error('Away.')
    return await run()
  }
}
