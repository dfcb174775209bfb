import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { pollUntil, temporaryFolder } from '@tidegate/testkit'
import { describe, expect, it } from 'vitest'
import { WorkerProcess } from './worker-process.fixture.ts'

const runs = Number(process.env.TIDEGATE_KILL_RUNS ?? 20)
const perRunMs = 15_000

/** Mulberry32: the same moments in every run of the suite. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

describe('an embedded database whose process is killed', () => {
  it(
    `has every acknowledged write, and opens again, in ${runs} seeded moments`,
    async () => {
      await using folder = await temporaryFolder('sudden-death')
      const random = seeded(7)
      let acknowledged = 0
      for (let run = 0; run < runs; run += 1) {
        await using worker = new WorkerProcess(folder.path, 'write')
        const found = await worker.heard('found')
        // One more may have been committed than its writer lived to say.
        expect(found.written - acknowledged, `run ${run}`).toBeOneOf([0, 1])
        expect(found).toMatchObject({ head: found.written, whole: true })
        const wanted = found.written + Math.floor(random() * 60)
        await worker.heard('acknowledged', ({ number }) => number >= wanted)
        // Not a wait for something: the moment of death is to fall anywhere within a write.
        await pause(random() * 12)
        await worker.kill()
        acknowledged = worker.acknowledged(found.written)
      }
    },
    runs * perRunMs,
  )

  it('begins anew when it was killed while the database was being made', async () => {
    await using folder = await temporaryFolder('sudden-death')
    await using first = new WorkerProcess(folder.path, 'hold')
    const making = join(folder.path, 'pgdata.making')
    await pollUntil(async () => (await readdir(making).catch(() => [])).length > 3, {
      intervalMs: 2,
      describe: () => 'nothing was being made',
    })
    await first.kill()
    expect(await readdir(folder.path)).not.toContain('pgdata')
    await using second = new WorkerProcess(folder.path, 'hold')
    expect(await second.heard('found')).toMatchObject({ written: 0, head: 0 })
    expect((await readdir(folder.path)).sort()).toEqual(['created.json', 'lock', 'pgdata'])
  })

  it('serves one process at a time, and the next one after a death', async () => {
    await using folder = await temporaryFolder('sudden-death')
    await using first = new WorkerProcess(folder.path, 'hold')
    await first.heard('found')
    await using second = new WorkerProcess(folder.path, 'hold')
    const refused = await second.heard('refused')
    expect(refused.code).toBe('database_in_use')
    expect(refused.message).toContain(folder.path)
    await first.kill()
    await using third = new WorkerProcess(folder.path, 'hold')
    await third.heard('found')
  })
})
