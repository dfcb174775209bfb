import { setTimeout as wait } from 'node:timers/promises'

/** A language model: its answer, and how many tokens question and answer were. */
export type Model = (
  prompt: string,
  options: { readonly maxTokens: number; readonly signal: AbortSignal },
) => Promise<{ readonly text: string; readonly tokens: number }>

/** Stands for a provider's API. */
export const demoModel: Model = async (prompt, { maxTokens, signal }) => {
  await wait(300, undefined, { signal })
  const words = `You asked: ${prompt}`.split(' ').slice(0, maxTokens)
  return { text: words.join(' '), tokens: Math.ceil(prompt.length / 4) + words.length }
}
