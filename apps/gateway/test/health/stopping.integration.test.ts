import { type Provider, pollUntil, startGateway, startProvider } from '@tidegate/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const STREAMS = 100
const PER_SECOND = 200

let provider: Provider

beforeAll(async () => {
  provider = await startProvider()
})
afterAll(async () => await provider[Symbol.asyncDispose]())

const chat = (stream: boolean) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ model: 'tide-1', stream, messages: [{ role: 'user', content: 'Hi' }] }),
})

/** Asks so often a second, as a balancer does: until readiness is red, and whether or not answers come. */
class Balancer {
  readonly faults: string[] = []
  answered = 0
  readonly #url: string
  readonly #began = performance.now()
  readonly #open = new Set<Promise<void>>()
  readonly #timer: ReturnType<typeof setInterval>
  #sent = 0

  constructor(url: string) {
    this.#url = url
    this.#timer = setInterval(() => this.#send(), 25)
  }

  /** Waits for what is under way, and tells what failed. */
  async stop(): Promise<readonly string[]> {
    clearInterval(this.#timer)
    await Promise.all(this.#open)
    return this.faults
  }

  #send(): void {
    const due = ((performance.now() - this.#began) / 1_000) * PER_SECOND
    // What a busy machine could not send in time, it doesn't send all at once.
    if (due - this.#sent > 20) this.#sent = due - 20
    for (; this.#sent < due; this.#sent += 1) {
      const asking = this.#ask().finally(() => this.#open.delete(asking))
      this.#open.add(asking)
    }
  }

  async #ask(): Promise<void> {
    try {
      const response = await fetch(`${this.#url}/v1/chat/completions`, chat(false))
      const { object } = JSON.parse(await response.text())
      if (response.status !== 200 || object !== 'chat.completion') {
        this.faults.push(`status ${response.status}`)
      }
    } catch (error) {
      this.faults.push(String(error instanceof Error ? (error.cause ?? error) : error))
    }
    this.answered += 1
  }
}

describe('SIGTERM under load', () => {
  it('turns readiness red first, fails no request, and completes every stream in time', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    provider.always({ beforeEvent: (index) => (index === 2 ? released : undefined) })
    await using gateway = await startGateway({
      config: {
        version: 1,
        server: { drain: { delay: '3s', timeout: '60s' } },
        upstreams: {
          up: { protocol: 'openai', retry: 'off', endpoints: [{ url: `${provider.url}/v1` }] },
        },
        routes: [{ match: '/v1/**', upstreams: ['up'], auth: 'none' }],
      },
    })
    const streams = await Promise.all(
      Array.from({ length: STREAMS }, () =>
        fetch(`${gateway.url}/v1/chat/completions`, chat(true)),
      ),
    )
    const texts = streams.map((stream) => stream.text())
    const balancer = new Balancer(gateway.url)
    await pollUntil(async () => balancer.answered >= PER_SECOND, {
      timeoutMs: 60_000,
      describe: () => `only ${balancer.answered} were answered: ${balancer.faults[0]}`,
    })

    gateway.signal('SIGTERM')
    const isRed = async () => (await fetch(`${gateway.url}/readyz`)).status === 503
    await pollUntil(isRed, { describe: () => 'it is ready all the time' })
    const served = balancer.answered
    const late = await fetch(`${gateway.url}/v1/chat/completions`, chat(false))
    expect([late.status, late.headers.get('connection')]).toEqual([200, 'close'])
    expect(await balancer.stop()).toEqual([])
    expect(balancer.answered).toBeGreaterThanOrEqual(served)

    release()
    const ended = await Promise.all(texts)
    const whole = ended.filter((text) => text.endsWith('data: [DONE]\n\n'))
    expect([whole.length, new Set(streams.map(({ status }) => status))]).toEqual([
      STREAMS,
      new Set([200]),
    ])
    expect(await gateway.exit).toEqual({ code: 0, signal: null })
    const messages = gateway.logs.map(({ message }) => message)
    expect(messages.filter((message) => message === 'stopped')).toHaveLength(1)
    expect(messages.some((message) => String(message).startsWith('drain timed out'))).toBe(false)
    expect(gateway.stderr).toBe('')
  }, 180_000)
})
