import { pollUntil } from '@tidegate/testkit'
import { Agent, EventSource } from 'undici'
import { admin } from './streaming-gateway.fixture.ts'

export interface Told {
  readonly type: string
  readonly id: string
  readonly data: Readonly<Record<string, unknown>>
}

/** A real client of such streams, as a browser has it: it comes back by itself. */
export class EventListener {
  readonly told: Told[] = []
  opened = 0
  readonly #source: EventSource
  readonly #agent = new Agent()

  constructor(url: string, ...types: readonly string[]) {
    const dispatcher = this.#agent.compose((dispatch) => (options, handler) => {
      const headers = { ...(options.headers as Record<string, string>), ...admin }
      return dispatch({ ...options, headers }, handler)
    })
    this.#source = new EventSource(url, { dispatcher })
    this.#source.addEventListener('open', () => {
      this.opened += 1
    })
    for (const type of [...types, 'gap']) {
      this.#source.addEventListener(type, (event) => {
        const { data, lastEventId } = event as MessageEvent
        this.told.push({ type, id: lastEventId, data: JSON.parse(data) })
      })
    }
  }

  /** Waits until what was told is enough; `meanwhile` is done each time before that is asked. */
  async until(
    isEnough: (told: readonly Told[]) => boolean,
    meanwhile: () => void = () => {},
  ): Promise<void> {
    const isRight = async (): Promise<boolean> => {
      meanwhile()
      return isEnough(this.told)
    }
    await pollUntil(isRight, {
      describe: () => `opened ${this.opened}: ${JSON.stringify(this.told)}`,
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#source.close()
    await this.#agent.destroy()
  }
}
