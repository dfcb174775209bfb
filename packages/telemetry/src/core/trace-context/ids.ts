import { randomFillSync } from 'node:crypto'

const traceDigits = 32
const spanDigits = 16
// Asking the system for random bytes costs more than a whole trace: it is done once for some hundred ids.
const pool = Buffer.allocUnsafeSlow(4 * 1_024)
let digits = ''
let used = 0

/** No id may be all zero. One that only begins so isn't given either: that is told sooner, and as rare. */
const zeros = '0'.repeat(spanDigits)

/** A new random trace id: 32 hexadecimal digits, never all zero. */
export function newTraceId(): string {
  return take(traceDigits)
}

/** A new random span id: 16 hexadecimal digits, never all zero. */
export function newSpanId(): string {
  return take(spanDigits)
}

function take(length: number): string {
  for (;;) {
    if (used + length > digits.length) {
      digits = randomFillSync(pool).toString('hex')
      used = 0
    }
    const id = digits.slice(used, used + length)
    used += length
    if (!id.startsWith(zeros)) return id
  }
}
