/**
 * The tokens that the caller's limits hold for a request until it is known what it really used. Whoever
 * made it is told once, when the exchange has ended, and sees to it that nothing is thrown at the teller.
 */
export interface TokenReservation {
  /** Tokens that are held. */
  readonly amount: number
  /** The request used `actual` tokens, a whole number from 0; it may be more than was held. */
  settle(actual: number): void
  /** The request used nothing: it was never sent, or brought no answer. */
  refund(): void
}

/** How many tokens a request may use, as far as it can be told before it is sent. */
export interface TokenEstimate {
  readonly input: number
  /** As the request limits it; without a limit the usual size of an answer. */
  readonly output: number
  /** Whether the request itself limits its output. */
  readonly limited: boolean
}

/** What a request used. */
export interface TokenUsage {
  readonly input: number
  readonly output: number
  readonly total: number
  /** Whether some of it is estimated, as no upstream has said it. */
  readonly estimated: boolean
}

/**
 * What is to be reserved where no more than `capacity` tokens can ever be had at once. An answer that
 * the request doesn't limit takes what is left of that at most: nobody is refused for not naming a limit.
 */
export function tokensToReserve(
  { input, output, limited }: TokenEstimate,
  capacity: number,
): number {
  const total = input + output
  return limited ? total : Math.min(total, Math.max(capacity, input))
}
