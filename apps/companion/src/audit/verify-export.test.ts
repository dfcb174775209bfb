import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { begun, checkpointAt, keysOf, publicKeys } from './audit.fixture.ts'
import { AuditError } from './errors.ts'
import type { AuditRecord } from './record.ts'
import { testTrail } from './trail.fixture.ts'
import { type ExportEvidence, verifyExport } from './verify-export.ts'

async function linesFrom(source: AsyncIterable<string>): Promise<string[]> {
  const lines: string[] = []
  for await (const line of source) lines.push(line)
  return lines
}

async function verdictOf(file: string | Uint8Array, rest: Partial<ExportEvidence> = {}) {
  async function* bytes(): AsyncGenerator<Uint8Array, void> {
    yield Buffer.from(file)
  }
  return await verifyExport(bytes(), { publicKeys, ...rest })
}

/** An export of records 8 to 17, with checkpoints at 7, 12 and 15. */
async function exported(): Promise<string[]> {
  const { trail, fill } = testTrail({ keep: 5 })
  await fill(12)
  await trail.retain()
  await fill(3)
  await trail.checkpoint()
  await fill(2)
  return await linesFrom(trail.exportNdjson())
}

const lines = await exported()
const recordLines = lines.filter((line) => line.startsWith('{"record"'))
const before = lines.length - recordLines.length

describe('exportNdjson', () => {
  it('gives the signed end, the checkpoints and the records, a line each', async () => {
    const kinds = lines.map((line) => Object.keys(JSON.parse(line)).join())
    expect(kinds).toEqual([
      'end,format,version',
      ...Array(3).fill('checkpoint'),
      ...Array(10).fill('record'),
    ])
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      format: 'tidegate-audit',
      version: 1,
      end: { seq: 17, reason: 'export', at: new Date(begun).toISOString() },
    })
    expect(lines.every((line) => line.endsWith('}\n') && !line.slice(0, -1).includes('\n'))).toBe(
      true,
    )
  })

  it('gives what is there when it begins', async () => {
    const { trail, fill } = testTrail()
    await fill(3)
    const source = trail.exportNdjson()
    const { value: first } = await source.next()
    await fill(3)
    const file = [first, ...(await linesFrom(source))].join('')
    expect(await verdictOf(file)).toMatchObject({ intact: true, last: 3, provenThrough: 3 })
  })

  it('is interrupted where records were dropped that it had yet to give', async () => {
    const { trail, fill } = testTrail({ keep: 5 })
    await fill(12)
    const source = trail.exportNdjson()
    await source.next()
    await trail.retain()
    await expect(linesFrom(source)).rejects.toMatchObject({ code: 'export_interrupted' })
  })

  it('gives a chain that is broken as it is', async () => {
    const { trail, fill, tampering } = testTrail()
    await fill(5)
    tampering.records = (records) => records.filter(({ seq }) => seq !== 3)
    const file = (await linesFrom(trail.exportNdjson())).join('')
    expect(await verdictOf(file)).toMatchObject({ problem: { reason: 'removed', seq: 3 } })
  })
})

describe('verifyExport', () => {
  it('finds an untouched export intact', async () => {
    const intact = { intact: true, records: 10, first: 8, last: 17, provenThrough: 17 }
    expect(await verdictOf(lines.join(''))).toEqual(intact)
    expect(await verdictOf(lines.join('').trimEnd())).toEqual(intact)
    const { trail } = testTrail()
    expect(await verdictOf((await linesFrom(trail.exportNdjson())).join(''))).toMatchObject({
      intact: true,
      records: 0,
    })
  })

  it('finds any byte that was changed, and names the record if it is in one', async () => {
    const bytes = Buffer.from(lines.join(''))
    const starts = lines.map((_, at) => Buffer.byteLength(lines.slice(0, at).join('')))
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: bytes.length - 2 }),
        fc.integer({ min: 1, max: 255 }),
        async (at, mask) => {
          const changed = Buffer.from(bytes)
          changed[at] = (changed[at] ?? 0) ^ mask
          const line = starts.findLastIndex((start) => start <= at)
          const verdict = await verdictOf(changed)
          expect(verdict.intact).toBe(false)
          if (verdict.intact || line < before) return
          const [from, through] = [8 + line - before, verdict.problem.through]
          expect([verdict.problem.seq, through ?? from]).toEqual([from, from])
        },
      ),
      { numRuns: 400 },
    )
  })

  it('finds where it was cut', async () => {
    const file = lines.join('')
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: file.length - 2 }), async (length) => {
        expect((await verdictOf(file.slice(0, length))).intact).toBe(false)
      }),
    )
    expect(await verdictOf(lines.slice(0, -2).join(''))).toMatchObject({
      problem: { reason: 'removed', seq: 16, through: 17 },
    })
  })

  it('names the first line of a record that was removed, copied or moved', async () => {
    const order = fc.tuple(fc.nat({ max: 9 }), fc.nat({ max: 9 }))
    const headLines = lines.slice(0, before)
    const problemOf = async (records: readonly string[]) =>
      await verdictOf([...headLines, ...records].join(''))
    await fc.assert(
      fc.asyncProperty(order, async ([one, other]) => {
        const removed = recordLines.toSpliced(one, 1)
        expect(await problemOf(removed)).toMatchObject({
          problem: { reason: 'removed', seq: one + 8, through: one + 8 },
        })
        const line = recordLines[one] ?? ''
        const copied = recordLines.toSpliced(other, 0, line)
        // Of two that are the same, one behind the other, the second is one too many.
        const position = other === one || other === one + 1 ? one + 2 : other + 1
        expect(await problemOf(copied)).toMatchObject({
          problem: { reason: 'inserted', seq: one + 8, position },
        })
        fc.pre(one !== other)
        const moved = removed.toSpliced(other, 0, line)
        expect(await problemOf(moved)).toMatchObject({
          problem: { reason: 'reordered', seq: Math.min(one, other) + 8 },
        })
      }),
    )
  })

  it('says so when it is no export', async () => {
    const [head = ''] = lines
    const strangers = [
      '',
      '\n',
      'no JSON\n',
      '{}\n',
      '[]\n',
      recordLines.join(''),
      head.replace('"version":1', '"version":2'),
      head.replace('{"end"', '{ "end"'),
      head.replace('{"end"', '{"a":1,"end"'),
      `${JSON.stringify({ end: checkpointAt([JSON.parse(recordLines[0] ?? '').record], 8), format: 'tidegate-audit', version: 1 })}\n`,
    ]
    for (const file of strangers) {
      expect(await verdictOf(file)).toMatchObject({
        problem: { reason: 'malformed', seq: 0, message: expect.stringContaining('first line') },
      })
    }
  })

  it('believes only the keys that it was given', async () => {
    const others = keysOf('two').publicKeys.values()
    expect(await verdictOf(lines.join(''), { publicKeys: others })).toMatchObject({
      problem: { reason: 'unknown_key', seq: 17 },
    })
    await expect(verdictOf(lines.join(''), { publicKeys: ['x'] })).rejects.toThrow(AuditError)
  })

  it('compares with what is known from elsewhere', async () => {
    const record: AuditRecord = JSON.parse(recordLines[5] ?? '').record
    expect(await verdictOf(lines.join(''), { known: [record] })).toMatchObject({ intact: true })
    const other = { seq: record.seq, hash: 'f'.repeat(64) }
    expect((await verdictOf(lines.join(''), { known: [other] })).intact).toBe(false)
    const later = { seq: 18, hash: record.hash }
    expect(await verdictOf(lines.join(''), { known: [later] })).toMatchObject({
      problem: { reason: 'removed', seq: 18 },
    })
  })
})
