import type { Stamp, Stored } from '../core/driver.ts'

/** The first byte of what is stored: an entry, or the mark of a removal. Scripts know these too. */
const [ENTRY, MARK] = [1, 2]
const LONGEST_STAMP = 255
const NOTHING: Stored = Object.freeze({ stamp: undefined, bytes: undefined })
const NO_STAMP = Buffer.alloc(0)

/** An entry as it is stored: what it is, its stamp with the length in front, its bytes. */
export function entryForm(stamp: string, bytes: Uint8Array): Buffer {
  const form = Buffer.allocUnsafe(2 + stamp.length + bytes.length)
  writeHead(form, ENTRY, stamp)
  form.set(bytes, 2 + stamp.length)
  return form
}

/** The mark that a removal leaves. */
export function markForm(stamp: string): Buffer {
  const form = Buffer.allocUnsafe(2 + stamp.length)
  writeHead(form, MARK, stamp)
  return form
}

/** What is stored from the second byte on, if it has the stamp; empty for no stamp. */
export function stampForm(stamp: Stamp): Buffer {
  return stamp === undefined ? NO_STAMP : markForm(stamp).subarray(1)
}

/** Reads what is stored. What isn't of this form is nothing, and may be replaced. */
export function storedOf(reply: unknown): Stored {
  if (!Buffer.isBuffer(reply) || reply.length < 2) return NOTHING
  const [kind, length = 0] = reply
  if ((kind !== ENTRY && kind !== MARK) || reply.length < 2 + length) return NOTHING
  const stamp = reply.toString('latin1', 2, 2 + length)
  return { stamp, bytes: kind === ENTRY ? reply.subarray(2 + length) : undefined }
}

function writeHead(form: Buffer, kind: number, stamp: string): void {
  if (stamp === '' || stamp.length > LONGEST_STAMP) {
    throw new RangeError(`A stamp has 1 to ${LONGEST_STAMP} characters.`)
  }
  form[0] = kind
  form[1] = stamp.length
  form.write(stamp, 2, 'latin1')
}
