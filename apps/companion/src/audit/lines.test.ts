import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { linesOf } from './lines.ts'

async function linesIn(...chunks: readonly (string | Uint8Array)[]) {
  async function* bytes(): AsyncGenerator<Uint8Array, void> {
    for (const chunk of chunks) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk
  }
  const lines: (string | undefined)[] = []
  for await (const line of linesOf(bytes())) lines.push(line)
  return lines
}

describe('linesOf', () => {
  it('gives lines without what ends them, the last one also if nothing does', async () => {
    expect(await linesIn('a\n\nb\r\n', 'c')).toEqual(['a', '', 'b\r', 'c'])
    expect(await linesIn('a\n')).toEqual(['a'])
    expect(await linesIn()).toEqual([])
  })

  it('ends a line at a line feed alone', async () => {
    expect(await linesIn('\ufeffa\u2028b\u2029\u0085\v\fc\n')).toEqual([
      '\ufeffa\u2028b\u2029\u0085\v\fc',
    ])
  })

  it('gives the same however the bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1 }),
        fc.array(fc.nat({ max: 60 })),
        async (lines, cuts) => {
          const bytes = Buffer.from(
            `${lines.map((line) => line.replaceAll('\n', '')).join('\n')}\n`,
          )
          const places = [0, ...cuts, bytes.length].sort((a, b) => a - b)
          const chunks = places.slice(1).map((to, at) => bytes.subarray(places[at], to))
          expect(await linesIn(...chunks)).toEqual(await linesIn(bytes))
        },
      ),
    )
  })

  it('gives nothing for a line that is no UTF-8', async () => {
    expect(await linesIn('a\n', Buffer.from([0xc3, 0x0a]), 'b\n')).toEqual(['a', undefined, 'b'])
  })

  it('reads no further behind a line beyond 1 MiB', async () => {
    const long = 'x'.repeat(700_000)
    expect(await linesIn('a\n', long, long, 'b\n')).toEqual(['a', undefined])
  })
})
