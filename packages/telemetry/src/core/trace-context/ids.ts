import { randomFillSync } from 'node:crypto'

const traceBytes = 16
const spanBytes = 8
// Asking the system for random bytes costs more than a whole trace: it is done once for a thousand ids.
const pool = Buffer.allocUnsafeSlow(traceBytes * 1_024)
let used = pool.length

/** A new random trace id: 32 hexadecimal digits, never all zero. */
export function newTraceId(): string {
  return take(traceBytes)
}

/** A new random span id: 16 hexadecimal digits, never all zero. */
export function newSpanId(): string {
  return take(spanBytes)
}

function take(bytes: number): string {
  for (;;) {
    if (used + bytes > pool.length) {
      randomFillSync(pool)
      used = 0
    }
    const begin = used
    used += bytes
    if (pool.readUInt32BE(begin) !== 0 || pool.readUInt32BE(begin + 4) !== 0) {
      return pool.toString('hex', begin, used)
    }
  }
}
