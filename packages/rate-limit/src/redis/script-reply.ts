import type { Verdict } from '../core/store.ts'
import type { BackendAnswer, BackendAsk, QuotaGrant } from './backend.ts'

const NOTHING: QuotaGrant = Object.freeze({ amount: 0, ttlMs: 0 })

const SPACE = 32
const MINUS = 45
const ZERO = 48

/** What the script answered to the asks: whole numbers in one text, as `decideLua` tells them. */
export function answersOf(reply: unknown, asks: readonly BackendAsk[]): readonly BackendAnswer[] {
  if (typeof reply !== 'string') throw misread()
  const numbers = new NumberReader(reply)
  const answers = asks.map((ask) => nextAnswer(numbers, ask))
  numbers.end()
  return answers
}

/** What a script answered to the only ask that it was given. */
export function answerOf(reply: unknown, ask: BackendAsk): BackendAnswer {
  if (typeof reply !== 'string') throw misread()
  const numbers = new NumberReader(reply)
  const answer = nextAnswer(numbers, ask)
  numbers.end()
  return answer
}

function nextAnswer(numbers: NumberReader, { requests, wants }: BackendAsk): BackendAnswer {
  const admitted = numbers.next()
  const verdicts: Verdict[] = []
  const leased: QuotaGrant[] = []
  for (const at of requests.keys()) {
    verdicts.push(verdictOf(numbers))
    const wanted = (wants[at] ?? 0) > 0
    leased.push(wanted ? { amount: numbers.next(), ttlMs: numbers.next() } : NOTHING)
  }
  return { admitted, verdicts, leased }
}

function verdictOf(numbers: NumberReader): Verdict {
  const applied = numbers.next() === 1
  const remaining = numbers.next()
  const waitMs = numbers.next()
  return {
    allowed: waitMs === 0,
    applied,
    remaining,
    retryAfterMs: waitMs < 0 ? Number.POSITIVE_INFINITY : waitMs,
    resetMs: numbers.next(),
    stamp: numbers.next(),
    source: 'redis',
  }
}

/** Whole numbers from -1, each but the last followed by one space. */
class NumberReader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  next(): number {
    const text = this.#text
    const negative = text.charCodeAt(this.#at) === MINUS
    const begin = negative ? this.#at + 1 : this.#at
    let at = begin
    let value = 0
    for (; at < text.length; at += 1) {
      const digit = text.charCodeAt(at) - ZERO
      if (digit < 0 || digit > 9) break
      value = value * 10 + digit
    }
    if (at === begin || !Number.isSafeInteger(value)) throw misread()
    if (at < text.length && text.charCodeAt(at) !== SPACE) throw misread()
    this.#at = at + 1
    return negative ? -value : value
  }

  end(): void {
    if (this.#at !== this.#text.length + 1) throw misread()
  }
}

function misread(): TypeError {
  return new TypeError(
    "redisStore: the script's reply has another form. `evaluate` has to return it as it came, texts as strings.",
  )
}
