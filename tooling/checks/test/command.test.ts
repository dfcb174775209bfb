import { describe, expect, it } from 'vitest'
import { inPairs, run } from '../command.ts'

describe('run', () => {
  it('gives what a program says on both streams, and whether it ended well', async () => {
    const script = 'console.log("out"); console.error("err"); process.exitCode = 3'
    const result = await run(process.execPath, ['-e', script])
    expect(result).toMatchObject({ ok: false, stdout: 'out\n' })
    expect(result.output).toContain('err')
  })

  it('fails for a program that is not there', async () => {
    expect(await run('no-such-program', [])).toMatchObject({ ok: false })
  })

  it('ends a program that goes on for too long', async () => {
    const result = await run(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {
      timeoutMs: 50,
    })
    expect(result.ok).toBe(false)
    expect(result.output).toContain('was still running')
  })
})

describe('inPairs', () => {
  it('keeps the order of the items and never does three at once', async () => {
    let running = 0
    let most = 0
    const results = await inPairs([1, 2, 3, 4, 5], async (item) => {
      running += 1
      most = Math.max(most, running)
      await new Promise((resolve) => setImmediate(resolve))
      running -= 1
      return item * 2
    })
    expect(results).toEqual([2, 4, 6, 8, 10])
    expect(most).toBe(2)
  })
})
