import { describe, expect, it } from 'vitest'
import type { Endpoint } from '../upstreams/endpoint.ts'
import { refusesStreamOptions, UsageQuestion } from './usage-question.ts'

const endpoint = (): Endpoint => ({ streamOptionsRefusedAt: Number.NEGATIVE_INFINITY }) as Endpoint

const REFUSAL = Buffer.from('{"error":{"message":"Unrecognized request argument: stream_options"}}')

describe('UsageQuestion', () => {
  it('asks nobody where the client asked, or nothing has to be asked', () => {
    const question = new UsageQuestion(false)
    const one = endpoint()
    expect(question.ask(one)).toBe(false)
    expect(question.isAsked(one)).toBe(false)
    expect(question.isRefusedIn(one, REFUSAL)).toBe(false)
  })

  it('leaves the option out where it was refused, and for ten minutes once that was answered', () => {
    const [one, other] = [endpoint(), endpoint()]
    const question = new UsageQuestion(true)
    expect(question.ask(one)).toBe(true)
    expect(question.isRefusedIn(one, REFUSAL)).toBe(true)
    expect(question.isAsked(one)).toBe(false)
    expect(question.ask(one)).toBe(false)
    expect(question.ask(other)).toBe(true)
    question.answered(other)
    expect(refusesStreamOptions(one)).toBe(false)
    question.answered(one)
    expect(refusesStreamOptions(one)).toBe(true)
    expect(new UsageQuestion(true).ask(one)).toBe(false)
    expect(new UsageQuestion(true).ask(other)).toBe(true)
    one.streamOptionsRefusedAt -= 600_000
    expect(refusesStreamOptions(one)).toBe(false)
    expect(new UsageQuestion(true).ask(one)).toBe(true)
  })

  it('takes other refusals for what they are', () => {
    const one = endpoint()
    const question = new UsageQuestion(true)
    question.ask(one)
    expect(question.isRefusedIn(one, Buffer.from('context_length_exceeded'))).toBe(false)
    expect(question.isAsked(one)).toBe(true)
  })
})
