import type { Protocol } from '../config/settings.ts'
import { terminalMarker } from '../upstreams/terminal-markers.ts'
import { type AnswerHead, headerOf } from './answer-head.ts'

/**
 * Whether the body is an answer from its beginning to its end: JSON that parses and says of no error, a
 * stream whose protocol has said that it is over.
 */
export function isWhole(
  head: AnswerHead,
  body: Uint8Array,
  protocol: Protocol,
  path: string,
): boolean {
  if (isEncoded(head)) return false
  // That it has come is known of a recording that is complete.
  if (head.stream) return protocol !== 'http' && terminalMarker(path) !== undefined
  const type = headerOf(head, 'content-type') ?? ''
  if (/^application\/(?:[\w.-]+\+)?json\b/i.test(type)) return isGoodJson(body, protocol)
  return protocol === 'http' && !/^text\/event-stream\b/i.test(type)
}

/** Nobody was told that it may be: the upstream is asked for plain answers. */
function isEncoded(head: AnswerHead): boolean {
  return (headerOf(head, 'content-encoding') ?? 'identity') !== 'identity'
}

function isGoodJson(body: Uint8Array, protocol: Protocol): boolean {
  const value = jsonOf(body)
  return value !== undefined && (protocol === 'http' || !saysError(value))
}

/** Whether it is JSON in which a provider of AI says that it went wrong, whatever the status has said. */
export function tellsError(body: Uint8Array): boolean {
  const value = jsonOf(body)
  return typeof value === 'object' && value !== null && saysError(value)
}

function jsonOf(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    return undefined
  }
}

/** Some say with a 200 that it went wrong. */
function saysError(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  if ('type' in value && value.type === 'error') return true
  if ('status' in value && value.status === 'failed') return true
  return 'error' in value && value.error !== null && value.error !== undefined
}
