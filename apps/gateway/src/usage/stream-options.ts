import { OPEN_BRACE, textStart } from '../upstreams/json-bytes.ts'
import { isNamed, type Member, objectAt } from '../upstreams/json-members.ts'

const LOWER_N = 0x6e

/**
 * The body of a request for a stream of completions with `stream_options.include_usage` set to `true`;
 * every other byte stays. Where options are of a kind that no provider knows, the body is given back as
 * it is. Of members that are there twice the last one holds, as for every parser that providers use.
 */
export function askForUsage(body: Buffer): Buffer {
  const start = textStart(body)
  const options = lastNamed(body, start, 'stream_options')
  if (options === undefined) return body
  if (options === 'none') return insert(body, start, '"stream_options":{"include_usage":true}')
  const { value, end } = options
  if (body[value] === LOWER_N) return replace(body, value, end, '{"include_usage":true}')
  if (body[value] !== OPEN_BRACE) return body
  const asked = lastNamed(body, value, 'include_usage')
  if (asked === undefined) return body
  if (asked === 'none') return insert(body, value, '"include_usage":true')
  return replace(body, asked.value, asked.end, 'true')
}

/** The last member of that name in the object at `at`; `undefined` if there is no whole object. */
function lastNamed(body: Buffer, at: number, name: string): Member | 'none' | undefined {
  const object = body[at] === OPEN_BRACE ? objectAt(body, at) : undefined
  return object && (object.members.findLast((each) => isNamed(body, each, name)) ?? 'none')
}

/** Puts a member first into the object at `at`. */
function insert(body: Buffer, at: number, member: string): Buffer {
  const isEmpty = objectAt(body, at)?.members.length === 0
  return replace(body, at + 1, at + 1, isEmpty ? member : `${member},`)
}

function replace(body: Buffer, from: number, to: number, text: string): Buffer {
  return Buffer.concat([body.subarray(0, from), Buffer.from(text), body.subarray(to)])
}
