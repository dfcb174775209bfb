import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Outage, outages } from '../provider/outage.ts'
import type { Provider } from '../provider/provider.ts'
import { scenarios } from '../provider/scenarios.ts'

const defaultRefusalSeconds = 10
const maxSeconds = 3_600

interface Answer {
  readonly status: number
  readonly value: unknown
  /** Done once the answer has left: a provider that refuses cuts every connection. */
  readonly after?: () => void
}

/** Steers a provider over its own port: `/faults`, `/faults/die`, `/faults/recover`. */
export class FaultControl implements Disposable {
  readonly #say: (line: string) => void
  #provider: Provider | undefined
  #recovery: NodeJS.Timeout | undefined

  constructor(say: (line: string) => void) {
    this.#say = say
  }

  steer(provider: Provider): void {
    this.#provider = provider
  }

  /** Answers a request for one of its paths; any other is left alone. */
  readonly intercept = (request: IncomingMessage, response: ServerResponse): boolean => {
    const provider = this.#provider
    const url = new URL(request.url ?? '', 'http://localhost')
    const [, first, command, extra] = url.pathname.split('/')
    if (provider === undefined || first !== 'faults' || extra !== undefined) return false
    request.resume()
    const { status, value, after } = this.#answer(
      provider,
      `${request.method} ${command ?? ''}`,
      url,
    )
    response.writeHead(status, { 'content-type': 'application/json', connection: 'close' })
    response.end(`${JSON.stringify(value, null, 2)}\n`, after)
    return true
  };

  [Symbol.dispose](): void {
    clearTimeout(this.#recovery)
  }

  #answer(provider: Provider, command: string, { searchParams }: URL): Answer {
    if (command === 'GET ') return { status: 200, value: describe(provider) }
    if (command === 'POST recover') {
      return { status: 200, value: { outage: null }, after: () => this.#recover(provider) }
    }
    if (command !== 'POST die') {
      return wrong('There are GET /faults, POST /faults/die and POST /faults/recover.')
    }
    const how = searchParams.get('how') ?? 'refuse'
    const outage = outages.find((one) => one === how)
    if (outage === undefined) return wrong(`how is one of ${outages.join(', ')}.`)
    const given = searchParams.get('seconds')
    const seconds = given === null ? usualSeconds(outage) : Number(given)
    if (seconds !== undefined && !(seconds > 0 && seconds <= maxSeconds)) {
      return wrong(`seconds is a number above 0, up to ${maxSeconds}.`)
    }
    const after = () => this.#die(provider, outage, seconds)
    return { status: 200, value: { outage, seconds: seconds ?? null }, after }
  }

  #die(provider: Provider, outage: Outage, seconds: number | undefined): void {
    clearTimeout(this.#recovery)
    this.#say(`out of order: ${outage}${seconds === undefined ? '' : ` for ${seconds} s`}`)
    void provider.die(outage)
    if (seconds === undefined) return
    this.#recovery = setTimeout(() => this.#recover(provider), seconds * 1_000)
  }

  #recover(provider: Provider): void {
    clearTimeout(this.#recovery)
    if (provider.outage !== undefined) this.#say('works again')
    void provider.recover()
  }
}

/** Nobody can ask a provider that refuses connections to work again. */
function usualSeconds(outage: Outage): number | undefined {
  return outage === 'refuse' ? defaultRefusalSeconds : undefined
}

function wrong(message: string): Answer {
  return { status: 400, value: { error: message } }
}

function describe(provider: Provider): unknown {
  const hits = provider.hitsByFault
  return {
    outage: provider.outage ?? null,
    hits: provider.hits,
    hitsByModel: provider.hitsByModel,
    faults: scenarios.map(({ name, does, owed, times }) => {
      return { name, does, owed, times, hits: hits[name] ?? 0 }
    }),
  }
}
