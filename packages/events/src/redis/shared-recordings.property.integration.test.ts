import { setTimeout as sleep } from 'node:timers/promises'
import { pollUntil, type RedisServer, startRedis } from '@tidegate/testkit'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Listener } from '../core/listener.fixture.ts'
import { type Connected, connect } from './client.fixture.ts'
import { processOn } from './recordings.fixture.ts'

const PROCESSES = 3

let server: RedisServer
const connections: Connected[] = []

beforeAll(async () => {
  server = await startRedis({ own: true })
  for (let at = 0; at < PROCESSES; at += 1) connections.push(await connect(server.url))
})

afterAll(async () => {
  for (const each of connections) await each[Symbol.asyncDispose]()
  await server?.[Symbol.asyncDispose]()
})

const place = fc.nat(9)
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('push'), size: fc.nat(3_000) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('join'), by: fc.nat(PROCESSES - 1) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('leave', 'rest', 'resume'), place }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait'), ms: fc.nat(8) }) },
)
type Step = { do: string; size?: number; by?: number; place?: number; ms?: number }

async function play(run: number, steps: readonly Step[], ending: string): Promise<void> {
  const processes = connections.map((each) => processOn(each, { prefix: `run-${run}` }))
  const listeners: Listener[] = []
  const [first] = processes
  if (first === undefined) throw new TypeError('No process.')
  const recorder = await first.begin('a', { persist: true })
  const recorded: Buffer[] = []
  recorder.head({ run })
  for (const { do: what, size = 0, by = 0, place: at = 0, ms = 0 } of steps) {
    const listener = listeners[at]
    if (what === 'push') {
      recorded.push(Buffer.alloc(size, recorded.length))
      recorder.push(recorded.at(-1) ?? Buffer.alloc(0))
    }
    if (what === 'join') {
      const recording = await processes[by]?.join('a')
      if (recording !== undefined) listeners.push(new Listener().follow(recording))
    }
    if (what === 'leave') listener?.place?.leave()
    if (what === 'rest' && listener !== undefined && listener.takes > 1) listener.takes = 1
    if (what === 'resume') listener?.take(2)
    if (what === 'wait') await sleep(ms)
  }
  const left = new Set(steps.filter((each) => each.do === 'leave').map((each) => each.place))
  if (ending === 'end') recorder.end()
  else recorder.fail('broken')
  const stayed = listeners.filter((_, at) => !left.has(at))
  await pollUntil(
    async () => {
      for (const listener of stayed) listener.take()
      return stayed.every(({ over }) => over)
    },
    { timeoutMs: 10_000, intervalMs: 5, describe: () => 'a reader has no end' },
  )
  const all = Buffer.concat(recorded)
  for (const listener of listeners) {
    const had = Buffer.concat(listener.chunks)
    expect(had.equals(all.subarray(0, had.length))).toBe(true)
    if (stayed.includes(listener)) {
      expect([had.length, listener.head]).toEqual([all.length, { run }])
      expect(listener.fault?.code).toBe(ending === 'end' ? undefined : 'failed')
    }
  }
  for (const each of processes) await each[Symbol.asyncDispose]()
}

describe('a recording that three processes share', () => {
  it('gives whoever stays every byte, and who leaves a prefix', async () => {
    let run = 0
    const steps = fc.array(step, { maxLength: 40, size: 'max' })
    await fc.assert(
      fc.asyncProperty(steps, fc.constantFrom('end', 'fail'), async (each, ending) => {
        run += 1
        await play(run, each, ending)
      }),
      { numRuns: 60 },
    )
  })
})
