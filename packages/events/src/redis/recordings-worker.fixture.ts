import { Listener } from '../core/listener.fixture.ts'
import type { Recorder } from '../core/recording.ts'
import { connect } from './client.fixture.ts'
import { processOn } from './recordings.fixture.ts'

/** What a worker is told. */
export type Order =
  | { readonly do: 'claim'; readonly name: string; readonly persist?: boolean }
  | { readonly do: 'push'; readonly name: string; readonly text: string }
  | { readonly do: 'end' | 'leave'; readonly name: string }
  | { readonly do: 'report'; readonly name: string }

/** What it answers each order with: how its own reader of the recording stands. */
export interface Report {
  readonly role: string | undefined
  readonly text: string
  readonly ended: boolean
  readonly fault: string | undefined
  readonly abandoned: boolean
}

const [url = '', leaseMs] = process.argv.slice(2)
const worker = processOn(await connect(url), { leaseMs: Number(leaseMs) })
const listeners = new Map<string, Listener>()
const recorders = new Map<string, Recorder<unknown>>()
const roles = new Map<string, string>()
const abandoned = new Set<string>()

async function claim(name: string, persist = false): Promise<void> {
  const claimed = await worker.claim(name, { persist })
  roles.set(name, claimed.role)
  if (claimed.role === 'recorder') {
    const { recorder } = claimed
    recorder.listen({ onDrain: () => undefined, onAbandoned: () => abandoned.add(name) })
    listeners.set(name, new Listener().follow(recorder.recording))
    recorders.set(name, recorder)
    recorder.head({ by: process.pid })
  } else if (claimed.role === 'reader') {
    listeners.set(name, new Listener().follow(claimed.recording))
  }
}

async function obey(order: Order): Promise<Report> {
  const { name } = order
  if (order.do === 'claim') await claim(name, order.persist)
  if (order.do === 'push') recorders.get(name)?.push(Buffer.from(order.text))
  if (order.do === 'end') recorders.get(name)?.end()
  if (order.do === 'leave') listeners.get(name)?.place?.leave()
  const listener = listeners.get(name)
  return {
    role: roles.get(name),
    text: listener?.text ?? '',
    ended: listener?.ended ?? false,
    fault: listener?.fault?.code,
    abandoned: abandoned.has(name),
  }
}

process.on('message', (order: Order) => {
  void obey(order).then((report) => process.send?.(report))
})
process.on('disconnect', () => process.exit())
process.send?.('ready')
