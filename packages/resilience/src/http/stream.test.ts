import * as fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { type BodySource, BodyStream, wholeStream } from './stream.ts'

const sourceOf = () =>
  ({
    readerWaits: vi.fn(),
    readerBusy: vi.fn(),
    readerHasRoom: vi.fn(),
    readerFinished: vi.fn(),
    readerLeft: vi.fn(),
  }) satisfies BodySource

const bytes = (size: number, fill = 1) => new Uint8Array(size).fill(fill)

describe('BodyStream', () => {
  it('tells its source to wait at 64 KiB, and to go on below', async () => {
    const source = sourceOf()
    const stream = new BodyStream(source)
    expect(stream.push(bytes(40_000))).toBe(false)
    expect(stream.push(bytes(40_000))).toBe(true)
    expect(source.readerHasRoom).not.toHaveBeenCalled()
    await stream.next()
    expect(source.readerHasRoom).toHaveBeenCalledTimes(1)
    await stream.next()
    expect(source.readerHasRoom).toHaveBeenCalledTimes(1)
  })

  it('tells whether its reader waits or is busy', async () => {
    const source = sourceOf()
    const stream = new BodyStream(source)
    const first = stream.next()
    expect(source.readerWaits).toHaveBeenCalledTimes(1)
    expect(stream.push(bytes(100_000))).toBe(false)
    expect((await first).value).toHaveLength(100_000)
    expect(source.readerBusy).toHaveBeenCalledTimes(1)
  })

  it('hands out what came before it tells that the rest will not', async () => {
    const stream = new BodyStream(sourceOf())
    stream.push(bytes(1))
    stream.fail(new Error('broken'))
    expect((await stream.next()).done).toBe(false)
    await expect(stream.next()).rejects.toThrow('broken')
    expect(await stream.next()).toEqual({ done: true, value: undefined })
  })

  it('tells one waiting reader of a failure, and ends the others', async () => {
    const stream = new BodyStream(sourceOf())
    const [first, second] = [stream.next(), stream.next()]
    stream.fail(new Error('broken'))
    await expect(first).rejects.toThrow('broken')
    expect(await second).toEqual({ done: true, value: undefined })
  })

  it('ends at once, and quietly, for a reader that leaves', async () => {
    const source = sourceOf()
    const stream = new BodyStream(source)
    stream.push(bytes(10))
    stream.fail(new Error('broken'))
    await stream.return()
    expect(source.readerLeft).toHaveBeenCalledTimes(1)
    expect(await stream.next()).toEqual({ done: true, value: undefined })
  })

  it('throws away what comes after it has been finished', async () => {
    const source = sourceOf()
    const stream = new BodyStream(source)
    stream.push(bytes(100_000))
    stream.finish()
    expect(stream.push(bytes(100_000))).toBe(false)
    expect(source.readerFinished).toHaveBeenCalledTimes(1)
    stream.fail(new Error('late'))
    expect(await stream.next()).toEqual({ done: true, value: undefined })
  })

  it('gives every byte once and in order, however reading and arriving take turns', async () => {
    const step = fc.oneof(
      fc.record({ push: fc.integer({ min: 1, max: 80_000 }) }),
      fc.constant('read' as const),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const stream = new BodyStream(sourceOf())
        const reads: Promise<IteratorResult<Uint8Array, undefined>>[] = []
        const sent: number[] = []
        for (const one of steps) {
          if (one === 'read') reads.push(stream.next())
          else {
            stream.push(bytes(one.push, sent.length))
            sent.push(one.push)
          }
        }
        stream.end()
        for (let more = true; more; ) {
          const read = stream.next()
          reads.push(read)
          more = !(await read).done
        }
        const got = (await Promise.all(reads)).flatMap(({ value }) => value ?? [])
        expect(got.map(({ length }) => length)).toEqual(sent)
        expect(got.map((chunk) => chunk[0])).toEqual(sent.map((_, index) => index % 256))
      }),
      { numRuns: 200 },
    )
  })
})

describe('wholeStream', () => {
  it('gives what has come already', async () => {
    const chunks: Uint8Array[] = []
    for await (const chunk of wholeStream(bytes(3))) chunks.push(chunk)
    expect(chunks).toEqual([bytes(3)])
    expect(await wholeStream(bytes(0)).next()).toEqual({ done: true, value: undefined })
  })
})
