import type { Behaviour } from './behaviour.ts'
import type { StreamEvent } from './reply.ts'

/** The bytes of one event, in the order providers write the fields. */
export function encodeEvent(event: Omit<StreamEvent, 'part'>, lineEnd = '\n'): Buffer {
  const lines = event.event === undefined ? [] : [`event: ${event.event}`]
  lines.push(`data: ${event.data}`, '', '')
  return Buffer.from(lines.join(lineEnd))
}

/** The bytes of each event, with the comments and insertions which belong before it. */
export function encodeEvents(events: readonly StreamEvent[], behaviour: Behaviour): Buffer[] {
  const { lineEnd = '\n', comments = false, insert = [] } = behaviour
  return events.map((event, index) => {
    const before = insert.filter((one) => one.before === index).map((one) => one.bytes)
    if (comments) before.push(`: keep-alive ${index}${lineEnd}${lineEnd}`)
    return Buffer.concat([Buffer.from(before.join('')), encodeEvent(event, lineEnd)])
  })
}

function slices(bytes: Buffer, size: number): Buffer[] {
  const count = Math.ceil(bytes.length / size)
  return Array.from({ length: count }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  )
}

const isContinuation = (byte: number | undefined): boolean =>
  byte !== undefined && (byte & 0xc0) === 0x80
const isLineEnd = (byte: number | undefined): boolean => byte === 0x0a || byte === 0x0d

/** Cuts wherever a reader that trusts the edges of its chunks would stumble. */
function awkwardSlices(bytes: Buffer): Buffer[] {
  const result: Buffer[] = []
  let start = 0
  for (let index = 1; index < bytes.length; index += 1) {
    const insideLineEnd = isLineEnd(bytes[index - 1]) && isLineEnd(bytes[index])
    if (!insideLineEnd && !isContinuation(bytes[index])) continue
    result.push(bytes.subarray(start, index))
    start = index
  }
  result.push(bytes.subarray(start))
  return result
}

/** The writes for one piece of a body. */
export function cutPiece(piece: Buffer, cut: Behaviour['cut']): Buffer[] {
  if (piece.length === 0) return []
  if (typeof cut === 'number') return slices(piece, Math.max(1, Math.floor(cut)))
  return cut === 'awkward' ? awkwardSlices(piece) : [piece]
}
