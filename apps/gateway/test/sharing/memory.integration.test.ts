import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { type Provider, type RunningGateway, startProvider } from '@tidegate/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, sharingGateway, ways } from './sharing-gateway.ts'

const ANSWERS = 10_000
const ANSWER_BYTES = 100_000
const FULL_AFTER = 4_500
const CLIENTS = 16

let provider: Provider

beforeAll(async () => {
  provider = await startProvider()
  const body = JSON.stringify({ text: 'tide '.repeat(ANSWER_BYTES / 5) })
  provider.always({ body, headers: { 'content-type': 'application/json' } })
})
afterAll(async () => await provider?.[Symbol.asyncDispose]())

/** The memory of a process, in KiB. */
async function memoryOf({ pid }: RunningGateway): Promise<number> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)])
  return Number(stdout)
}

/** Has answers made that nobody asks for twice, in every way. */
async function make(gateway: RunningGateway, from: number, to: number): Promise<void> {
  let next = from
  const client = async (): Promise<void> => {
    while (next < to) {
      next += 1
      const way = ways[next % ways.length] ?? 'cached'
      const model = `tide-${next}`
      const response = await ask(gateway, { way, model, key: model })
      const { byteLength } = await response.arrayBuffer()
      expect([response.status, byteLength > ANSWER_BYTES]).toEqual([200, true])
    }
  }
  await Promise.all([...Array(CLIENTS)].map(client))
}

describe('the memory of a gateway', () => {
  it(`stops growing when its room for answers is taken`, async () => {
    const more = { cache: { memory: '32mb' } }
    await using gateway = await sharingGateway(provider, { more })
    // By then there is no more room for any kind of them.
    await make(gateway, 0, FULL_AFTER)
    const full = await memoryOf(gateway)
    await make(gateway, FULL_AFTER, ANSWERS)
    const after = await memoryOf(gateway)
    expect(after / full).toBeLessThan(1.3)
    // What all of them together take.
    expect(after * 1024).toBeLessThan(ANSWERS * ANSWER_BYTES)
    expect(provider.hits).toBe(ANSWERS)
  }, 180_000)
})
