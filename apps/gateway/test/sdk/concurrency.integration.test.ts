import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { anthropic, chat, collect, message, openai } from './clients.ts'
import { type Side, type Sides, startSides } from './sides.ts'

let sides: Sides

beforeAll(async () => {
  sides = await startSides()
})
beforeEach(() => sides.reset())
afterAll(async () => await sides[Symbol.asyncDispose]())

const count = 50

/** A prompt of its own for each: the provider's answers differ, so a mix-up would show. */
function question(index: number) {
  return [{ role: 'user' as const, content: `What of tide number ${index}?` }]
}

async function streamChat(side: Side, index: number): Promise<unknown[]> {
  const body = { ...chat, messages: question(index), stream: true as const }
  return await collect(await openai(side).chat.completions.create(body))
}

async function streamMessage(side: Side, index: number): Promise<unknown[]> {
  const body = { ...message, messages: question(index), stream: true as const }
  return await collect(await anthropic(side).messages.create(body))
}

describe('concurrent streams', () => {
  it.each([
    ['chat', streamChat],
    ['messages', streamMessage],
  ])(
    `of ${count} %s calls are all under way at once, and each is whole and its own`,
    async (_, stream) => {
      const { provider } = sides.through
      const everyoneIsHere = provider.waitForRequest(count - 1, 20_000)
      // Nobody's last events come before everybody's first have.
      provider.always({
        beforeEvent: (index) => (index === 4 ? everyoneIsHere : undefined),
      })
      const indexes = [...Array(count).keys()]
      const through = await Promise.all(indexes.map((index) => stream(sides.through, index)))
      const direct = await Promise.all(indexes.map((index) => stream(sides.direct, index)))
      expect(through).toEqual(direct)
      expect(new Set(through.map((items) => JSON.stringify(items))).size).toBe(count)
      expect(provider.hits).toBe(count)
    },
  )

  it('survive each other’s breaks and departures', async () => {
    const never = new Promise<never>(() => undefined)
    const kinds = ['whole', 'broken', 'left'] as const
    const kindOf = (index: number) => kinds[index % kinds.length] ?? 'whole'
    sides.through.provider.always((request) => {
      const kind = request.header('x-kind')
      if (kind === 'broken') return { fault: { kind: 'reset' } }
      return kind === 'left' ? { beforeEvent: (index) => (index === 4 ? never : undefined) } : {}
    })
    const outcomes = await Promise.all(
      [...Array(30).keys()].map(async (index) => {
        const options = { headers: { 'x-kind': kindOf(index) } }
        const body = { ...chat, messages: question(index), stream: true as const }
        const stream = await openai(sides.through).chat.completions.create(body, options)
        const chunks: unknown[] = []
        try {
          for await (const chunk of stream) {
            chunks.push(chunk)
            if (kindOf(index) === 'left' && chunks.length === 2) stream.controller.abort()
          }
        } catch {
          return 'broken'
        }
        return chunks.length === 10 ? 'whole' : 'left'
      }),
    )
    expect(outcomes).toEqual(outcomes.map((_, index) => kindOf(index)))
    const left = sides.through.provider.requests.filter((one) => one.header('x-kind') === 'left')
    const closes = await Promise.all(left.map((request) => request.closedEarly))
    expect(closes.every((close) => close !== null)).toBe(true)
  })
})
