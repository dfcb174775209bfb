import { type Provider, startProvider } from '@tidegate/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Client, Turnstile } from './client.fixture.ts'
import { timed } from './gates.fixture.ts'
import {
  type SharingGateway,
  type SharingOptions,
  sharingGateway,
} from './sharing-gateway.fixture.ts'

const CHAT = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Tell me of the tide.' }] }
const STREAM = { ...CHAT, stream: true }

let provider: Provider
let gateway: SharingGateway

beforeEach(async () => {
  provider = await startProvider()
})

afterEach(async () => {
  await gateway[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
})

async function open(options: SharingOptions = {}): Promise<void> {
  gateway = await sharingGateway([provider.url], options)
}

const ask = (headers = {}) => new Client(`${gateway.url}/v1/chat/completions`, STREAM, headers)

describe("a client's own deadline", () => {
  it('is its own: the others go on', async () => {
    await open({ gates: [timed] })
    const ready = new Turnstile()
    provider.always({ beforeHeaders: ready.pass })
    const leader = ask()
    await gateway.readers(1)
    const { status, text } = await ask({ 'x-test-time': '50' }).whole()
    expect(status).toBe(504)
    expect(JSON.parse(text)).toMatchObject({ code: 'deadline_exceeded' })
    await gateway.readers(1)
    ready.let()
    expect((await leader.whole()).end).toBe('whole')
    expect(provider.hits).toBe(1)
  })

  it('is told in the stream once that has begun', async () => {
    await open({ gates: [timed] })
    const gate = new Turnstile()
    provider.always({ beforeEvent: gate.pass })
    const leader = ask()
    await gateway.readers(1)
    gate.let(3)
    const follower = ask({ 'x-test-time': '1000' })
    const { status, text, end } = await follower.whole()
    expect({ status, end }).toEqual({ status: 200, end: 'whole' })
    expect(text).toContain('"code":"deadline_exceeded"')
    gate.let(100)
    expect((await leader.whole()).text).toMatch(/\[DONE\]\s*$/)
    const lines = await gateway.requestLines(2)
    expect(lines[0]).toMatchObject({ outcome: 'deadline', error_code: 'deadline_exceeded' })
  })

  it('begins anew, with one more call for all, when the time of the one who led runs out', async () => {
    await open({ gates: [timed] })
    const ready = new Turnstile()
    provider.always({ beforeHeaders: ready.pass })
    const leader = ask({ 'x-test-time': '1500' })
    await gateway.readers(1)
    const followers = [ask(), ask(), ask()]
    await gateway.readers(4)
    expect((await leader.whole()).status).toBe(504)
    await gateway.readers(3)
    ready.let(10)
    const answers = await Promise.all(followers.map((client) => client.whole()))
    expect(answers.map(({ status, end }) => [status, end])).toEqual(
      answers.map(() => [200, 'whole']),
    )
    expect(provider.hits).toBe(2)
    const lines = await gateway.requestLines(4)
    expect(lines.filter((line) => line.attempts === 1)).toHaveLength(2)
  })
})

/** As many comments of a megabyte, more than the kernel's buffers take. */
const large = (count: number) => {
  const bytes = `: ${'tide'.repeat(2 ** 18)}\n\n`
  return Array.from({ length: count }, (_, index) => ({ before: index + 1, bytes }))
}

describe('a client that reads slowly', () => {
  it('holds nobody back, and gets all of it at its own pace', async () => {
    await open({ recordings: { maxBytes: 64 * 1024 * 1024 } })
    const gate = new Turnstile()
    provider.always({ events: 40, insert: large(32), beforeEvent: gate.pass })
    const slow = ask()
    await gateway.readers(1)
    const fast = ask()
    await gateway.readers(2)
    gate.let(1)
    const head = await slow.head
    head.pause()
    gate.let(1000)
    const { text, end } = await fast.whole()
    expect(end).toBe('whole')
    expect(gateway.recordings.stats().readers).toBe(1)
    head.resume()
    expect((await slow.whole()).text).toBe(text)
  })

  it('slows the upstream down when it is alone, so that little of a large answer is kept', async () => {
    await open({ recordings: { maxBytes: 2 * 1024 * 1024 } })
    const gate = new Turnstile()
    provider.always({ events: 50, insert: large(48), beforeEvent: gate.pass })
    const only = ask()
    gate.let(1)
    const head = await only.head
    head.pause()
    gate.let(1000)
    let most = 0
    const watch = setInterval(() => {
      most = Math.max(most, gateway.recordings.stats().bytes)
      if (provider.lastRequest.bytesSent > 1024 * 1024) head.resume()
    }, 5)
    const { text, end } = await only.whole()
    clearInterval(watch)
    expect(end).toBe('whole')
    expect(text.length).toBeGreaterThan(48 * 1024 * 1024)
    expect(most).toBeLessThan(4 * 1024 * 1024)
  })

  it('is let go when it takes nothing for too long', async () => {
    await open({ write: 1000, recordings: { maxBytes: 64 * 1024 * 1024 } })
    const gate = new Turnstile()
    provider.always({ events: 40, insert: large(32), beforeEvent: gate.pass })
    const slow = ask()
    await gateway.readers(1)
    const fast = ask()
    await gateway.readers(2)
    gate.let(1)
    const head = await slow.head
    head.pause()
    gate.let(35)
    await gateway.readers(1)
    gate.let(1000)
    expect((await fast.whole()).end).toBe('whole')
    const lines = await gateway.requestLines(2)
    expect(lines.map((line) => line.outcome)).toContain('client_gone')
  })

  it('is let go when it falls behind by more than is kept', async () => {
    await open({ recordings: { maxBytes: 1024 * 1024 } })
    const gate = new Turnstile()
    provider.always({ events: 30, insert: large(24), beforeEvent: gate.pass })
    const slow = ask()
    await gateway.readers(1)
    const fast = ask()
    await gateway.readers(2)
    gate.let(1)
    const head = await slow.head
    head.pause()
    gate.let(1000)
    expect((await fast.whole()).text).toMatch(/\[DONE\]\s*$/)
    head.resume()
    expect(await slow.end).toBe('broken')
    const lines = await gateway.requestLines(2)
    expect(lines.map((line) => line.status_code).toSorted()).toEqual([200, 499])
    expect(gateway.recordings.stats()).toMatchObject({ readers: 0, bytes: 0 })
  })
})
