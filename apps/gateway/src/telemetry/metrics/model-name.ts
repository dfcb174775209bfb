import type { GenAiOperation } from '@tidegate/telemetry'
import type { Ask } from '../../upstreams/call-parts.ts'
import { tokenEndpoint } from '../../usage/endpoints.ts'

const NAME = Buffer.from('"model"')
const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a

/** Names are far shorter. */
const MOST_BYTES = 128

/** What is asked of a model; `undefined`: nothing that tokens are used for. */
export function operationOf({
  method,
  path,
}: Pick<Ask, 'method' | 'path'>): GenAiOperation | undefined {
  if (method === 'POST' && path.endsWith('/chat/completions')) return 'chat'
  const endpoint = tokenEndpoint(method, path)
  if (endpoint === undefined) return undefined
  if (endpoint === 'input') return path.endsWith('/embeddings') ? 'embeddings' : undefined
  const isText = endpoint === 'completions' && !path.endsWith('/chat/completions')
  return isText ? 'text_completion' : 'chat'
}

/**
 * The first text behind a name `model` in JSON, which need not be whole. Inside a string of JSON a quote is
 * escaped, so the name is never somebody's words. `undefined` where there is none, or none so plain.
 */
export function modelIn(bytes: Buffer): string | undefined {
  for (let at = bytes.indexOf(NAME); at !== -1; at = bytes.indexOf(NAME, at + 1)) {
    const colon = spaceEnd(bytes, at + NAME.length)
    if (bytes[colon] !== COLON) continue
    const quote = spaceEnd(bytes, colon + 1)
    if (bytes[quote] !== QUOTE) continue
    const end = bytes.indexOf(QUOTE, quote + 1)
    if (end <= quote + 1 || end - quote > MOST_BYTES) return undefined
    const name = bytes.toString('utf8', quote + 1, end)
    return name.includes(String.fromCharCode(BACKSLASH)) ? undefined : name
  }
  return undefined
}

function spaceEnd(bytes: Buffer, from: number): number {
  let at = from
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09)
    at += 1
  return at
}
