import { promisify } from 'node:util'
import { brotliDecompress, inflate, unzip } from 'node:zlib'

/** A bomb ends here. */
const MOST_BYTES = 1024 * 1024

const decoders = new Map([
  ['gzip', promisify(unzip)],
  ['x-gzip', promisify(unzip)],
  ['deflate', promisify(inflate)],
  ['br', promisify(brotliDecompress)],
] as const)

/** Whether a content coding can be undone here. */
export function isDecodable(encoding: string): boolean {
  return decoders.has(encoding as 'gzip')
}

/** The bytes of a packed answer, made on another thread; `undefined` where they can't be had. */
export async function unpacked(packed: Buffer, encoding: string): Promise<Buffer | undefined> {
  try {
    return await decoders.get(encoding as 'gzip')?.(packed, { maxOutputLength: MOST_BYTES })
  } catch {
    return undefined
  }
}
