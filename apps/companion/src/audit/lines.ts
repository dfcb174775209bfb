const LINE_FEED = 0x0a

// Far more than the largest record takes.
const MAX_LINE_BYTES = 1024 * 1024

/**
 * The lines of a file in UTF-8, which a line feed ends, without it; the last one's may be missing. A line that is no
 * UTF-8 is undefined. One beyond 1 MiB is undefined too, and the last that is read.
 */
export async function* linesOf(
  bytes: AsyncIterable<Uint8Array>,
): AsyncGenerator<string | undefined, void> {
  let open: Uint8Array[] = []
  let length = 0
  for await (const chunk of bytes) {
    let from = 0
    for (let to = chunk.indexOf(LINE_FEED); to >= 0; to = chunk.indexOf(LINE_FEED, from)) {
      yield decode([...open, chunk.subarray(from, to)])
      open = []
      length = 0
      from = to + 1
    }
    open.push(chunk.subarray(from))
    length += chunk.length - from
    if (length > MAX_LINE_BYTES) return yield undefined
  }
  if (length > 0) yield decode(open)
}

function decode(parts: readonly Uint8Array[]): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(parts))
  } catch (error) {
    if (error instanceof TypeError) return undefined
    throw error
  }
}
