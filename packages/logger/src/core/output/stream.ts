import { LossAccount } from './loss.ts'
import type { Sink } from './sink.ts'

/** Anything that takes a line: a Node stream, an array with a face, another logger's destination. */
export interface LineWriter {
  write(line: string): unknown
}

/** Hands each line on at once. Buffering, and what is done about errors, are the writer's affair. */
export function writerSink(writer: LineWriter, now: () => number): Sink {
  const loss = new LossAccount('the given destination', now)
  return {
    write(line) {
      try {
        writer.write(line)
      } catch (error) {
        loss.failed(error instanceof Error ? error.message : 'it threw', 1)
      }
    },
    flushSync: () => {},
    flush: async () => {},
    close: async () => {},
  }
}
