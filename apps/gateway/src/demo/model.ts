/** The one model the demo server has; it answers whatever model a request names, and says which it is. */
export const DEMO_MODEL = 'tidegate-demo'

/** How much of what the user said is echoed, in characters. */
const ECHO_LIMIT = 500

/** What the demo model says to a user's message. */
export function composeReply(said: string): string {
  const text = said.trim()
  const echo = text.length > ECHO_LIMIT ? `${text.slice(0, ECHO_LIMIT)}…` : text
  return [
    "This is Tidegate's local demo model: the gateway works, and no AI wrote this.",
    echo === '' ? 'You said nothing.' : `You said: “${echo}”.`,
    'Set OPENAI_API_KEY and start the gateway again to talk to a real model.',
  ].join(' ')
}

/** An estimate, as there is no tokenizer here: one token for every 4 characters begun. */
export function estimateTokens(text: string): number {
  return Math.ceil(text.length / 4)
}

/** The text cut to about `limit` tokens by the same estimate. */
export function cutToTokens(text: string, limit: number): string {
  return text.slice(0, limit * 4)
}
