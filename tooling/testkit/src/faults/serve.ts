import { startProvider } from '../provider/provider.ts'
import type { RecordedRequest } from '../provider/recorded-request.ts'
import { FaultControl } from './control.ts'
import { listFaults } from './listing.ts'
import { requestLine } from './request-line.ts'

export interface ServeOptions {
  readonly port: number
  /** Whom the printed curls ask in place of the provider itself. */
  readonly via: string | undefined
  readonly say: (line: string) => void
  /** Settles when it is to stop. */
  readonly stopped: Promise<unknown>
}

/** Runs the provider until it is stopped, and says what it does. */
export async function serveFaults({ port, via, say, stopped }: ServeOptions): Promise<void> {
  let stopping = false
  const onOver = async (request: RecordedRequest) => {
    const early = await request.closedEarly
    if (!stopping) say(requestLine(request, early, new Date()))
  }
  using control = new FaultControl(say)
  await using provider = await startProvider({ port, intercept: control.intercept, onOver })
  control.steer(provider)
  say(`${listFaults(via ?? provider.url)}\n`)
  say(`Listening on ${provider.url}; Ctrl-C stops it.`)
  if (via !== undefined) say(`The curls go to ${via}, whose upstream is to be ${provider.url}/v1.`)
  await stopped
  stopping = true
}
