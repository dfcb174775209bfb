import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { pollUntil, startRedis } from '@tidegate/testkit'
import { describe, expect, it } from 'vitest'
import { bytesOf, Listener } from '../core/listener.fixture.ts'
import { connect } from './client.fixture.ts'
import { processOn } from './recordings.fixture.ts'
import type { Order, Report } from './recordings-worker.fixture.ts'

const LEASE_MS = 1_500
const worker = fileURLToPath(new URL('./recordings-worker.fixture.ts', import.meta.url))

const until = (check: () => boolean | Promise<boolean>, what: string) =>
  pollUntil(async () => check(), { timeoutMs: 15_000, intervalMs: 10, describe: () => what })

class Worker implements AsyncDisposable {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  static async start(url: string): Promise<Worker> {
    const child = fork(worker, [url, `${LEASE_MS}`], { execArgv: [] })
    await once(child, 'message')
    return new Worker(child)
  }

  async tell(order: Order): Promise<Report> {
    this.#child.send(order)
    const [report] = await once(this.#child, 'message')
    return report as Report
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await once(this.#child, 'exit')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.kill()
  }
}

describe('recordings shared by processes', () => {
  it('are lost when the recorder is killed, and begin anew', async () => {
    await using server = await startRedis({ own: true })
    await using one = await Worker.start(server.url)
    await using two = await Worker.start(server.url)
    await using three = await Worker.start(server.url)
    const name = 'killed'
    expect((await one.tell({ do: 'claim', name })).role).toBe('recorder')
    for (const each of [two, three]) {
      expect((await each.tell({ do: 'claim', name })).role).toBe('reader')
    }
    await one.tell({ do: 'push', name, text: 'before' })
    for (const each of [two, three]) {
      await until(async () => (await each.tell({ do: 'report', name })).text !== '', 'the text')
    }
    await one.kill()
    const killedAt = performance.now()
    for (const each of [two, three]) {
      await until(
        async () => (await each.tell({ do: 'report', name })).fault !== undefined,
        'the loss',
      )
      const report = await each.tell({ do: 'report', name })
      expect(report).toMatchObject({ text: 'before', fault: 'lost', ended: false })
    }
    expect(performance.now() - killedAt).toBeLessThan(10 * LEASE_MS)
    const roles = await Promise.all([two, three].map((each) => each.tell({ do: 'claim', name })))
    expect(roles.map(({ role }) => role).sort()).toEqual(['reader', 'recorder'])
  })

  it('go on where they are made when that process had slept for too long', async () => {
    await using server = await startRedis({ own: true })
    await using one = await Worker.start(server.url)
    await using two = await Worker.start(server.url)
    const name = 'asleep'
    await one.tell({ do: 'claim', name })
    await two.tell({ do: 'claim', name })
    await one.tell({ do: 'push', name, text: '1' })
    await until(async () => (await two.tell({ do: 'report', name })).text === '1', 'the text')
    one.signal('SIGSTOP')
    await until(
      async () => (await two.tell({ do: 'report', name })).fault !== undefined,
      'the loss',
    )
    const anew = await two.tell({ do: 'claim', name })
    expect(anew).toMatchObject({ role: 'recorder', text: '' })
    one.signal('SIGCONT')
    await one.tell({ do: 'push', name, text: '2' })
    await one.tell({ do: 'end', name })
    const here = await one.tell({ do: 'report', name })
    expect(here).toMatchObject({ text: '12', ended: true })
    await two.tell({ do: 'push', name, text: 'other' })
    await two.tell({ do: 'end', name })
    expect(await two.tell({ do: 'report', name })).toMatchObject({ text: 'other', ended: true })
  })

  it('are abandoned when the last follower was killed', async () => {
    await using server = await startRedis({ own: true })
    await using one = await Worker.start(server.url)
    await using two = await Worker.start(server.url)
    const name = 'left'
    await one.tell({ do: 'claim', name })
    await two.tell({ do: 'claim', name })
    await one.tell({ do: 'leave', name })
    await one.tell({ do: 'push', name, text: 'still wanted' })
    await until(async () => (await two.tell({ do: 'report', name })).text !== '', 'the text')
    expect((await one.tell({ do: 'report', name })).abandoned).toBe(false)
    await two.kill()
    await until(async () => (await one.tell({ do: 'report', name })).abandoned, 'the abandonment')
  })

  it('have one recorder of each name, and every reader has all of it', async () => {
    await using server = await startRedis({ own: true })
    await using one = await Worker.start(server.url)
    await using two = await Worker.start(server.url)
    await using three = await Worker.start(server.url)
    const workers = [one, two, three]
    for (let at = 0; at < 10; at += 1) {
      const name = `name-${at}`
      const reports = await Promise.all(workers.map((each) => each.tell({ do: 'claim', name })))
      expect(reports.filter(({ role }) => role === 'recorder')).toHaveLength(1)
      const by = workers[reports.findIndex(({ role }) => role === 'recorder')] ?? one
      for (let count = 0; count < 10; count += 1) {
        await by.tell({ do: 'push', name, text: `${count} of ${at};` })
      }
      await by.tell({ do: 'end', name })
      const { text } = await by.tell({ do: 'report', name })
      for (const each of workers) {
        await until(async () => (await each.tell({ do: 'report', name })).ended, 'the end')
        expect((await each.tell({ do: 'report', name })).text).toBe(text)
      }
    }
  })
})

describe('recordings shared through a Redis that fails', () => {
  const began = async (url: string) => {
    const [there, elsewhere] = [await connect(url), await connect(url)]
    const [a, b] = [there, elsewhere].map((each) => processOn(each, { leaseMs: LEASE_MS }))
    if (a === undefined || b === undefined) throw new TypeError('No processes.')
    const recorder = await a.begin('x')
    const here = new Listener().follow(recorder.recording)
    const far = new Listener().follow(await b.join('x'))
    recorder.head({})
    recorder.push(bytesOf('1'))
    await until(() => far.text === '1', 'the first')
    return {
      ...{ a, b, recorder, here, far },
      async [Symbol.asyncDispose]() {
        for (const each of [a, b, there, elsewhere]) await each[Symbol.asyncDispose]()
      },
    }
  }

  it('go on here without waiting, and elsewhere when it is back in time', async () => {
    await using server = await startRedis({ own: true })
    await using there = await connect(server.url)
    await using elsewhere = await connect(server.url)
    // The clients give up on a call after a second: the lease has to outlive that.
    await using a = processOn(there, { leaseMs: 20_000 })
    await using b = processOn(elsewhere, { leaseMs: 20_000 })
    const recorder = await a.begin('x')
    const here = new Listener().follow(recorder.recording)
    const far = new Listener().follow(await b.join('x'))
    recorder.head({})
    recorder.push(bytesOf('1'))
    await until(() => far.text === '1', 'the first')
    const errors: unknown[] = []
    server.pause()
    const hung = there.client.ping().catch((error: unknown) => errors.push(error))
    recorder.push(bytesOf('2'))
    expect(here.text).toBe('12')
    await hung
    await until(() => errors.length > 0, 'a call that failed')
    recorder.push(bytesOf('3'))
    recorder.end()
    expect(here).toMatchObject({ text: '123', ended: true })
    server.resume()
    await until(() => far.over, 'the end elsewhere')
    expect(far).toMatchObject({ text: '123', ended: true })
  })

  it('go on here, and are lost elsewhere, when it hangs for too long', async () => {
    await using server = await startRedis({ own: true })
    await using shared = await began(server.url)
    const { recorder, here, far } = shared
    server.pause()
    recorder.push(bytesOf('2'))
    await until(() => far.over, 'the loss')
    expect(far).toMatchObject({ text: '1', fault: { code: 'lost' } })
    recorder.push(bytesOf('3'))
    recorder.end()
    expect(here).toMatchObject({ text: '123', ended: true })
    server.resume()
  })

  it('are lost elsewhere when it was restarted empty, and then shared anew', async () => {
    await using server = await startRedis({ own: true })
    await using shared = await began(server.url)
    const { a, b, recorder, here, far } = shared
    await server.kill()
    await server.start()
    await until(() => far.over, 'the loss')
    expect(far.fault?.code).toBe('lost')
    recorder.push(bytesOf('2'))
    recorder.end()
    expect(here).toMatchObject({ text: '12', ended: true })
    let at = 0
    await until(async () => {
      at += 1
      const roles = [await a.claim(`anew-${at}`), await b.claim(`anew-${at}`)]
      return roles.map(({ role }) => role).join() === 'recorder,reader'
    }, 'a recording that is shared again')
  })

  it('are abandoned, at the latest when the lease is over, though nobody can be asked', async () => {
    await using server = await startRedis({ own: true })
    await using shared = await began(server.url)
    const { recorder, here } = shared
    let abandoned = 0
    recorder.listen({
      onDrain: () => undefined,
      onAbandoned: () => {
        abandoned += 1
      },
    })
    server.pause()
    here.place?.leave()
    await until(() => abandoned > 0, 'the abandonment')
    expect(abandoned).toBe(1)
    server.resume()
  })

  it('are claimed without it while it is away, and not slowly twice', async () => {
    await using server = await startRedis({ own: true })
    await using there = await connect(server.url)
    await using a = processOn(there, { leaseMs: LEASE_MS, claimTimeoutMs: 300 })
    server.pause()
    const names = Array.from({ length: 50 }, (_, at) => `away-${at}`)
    const claims = await Promise.all(names.map((name) => a.claim(name)))
    expect(claims.every(({ role }) => role === 'recorder')).toBe(true)
    const begun = performance.now()
    const reader = await a.claim('away-0')
    const next = await a.claim('away-next')
    expect([reader.role, next.role]).toEqual(['reader', 'recorder'])
    expect(performance.now() - begun).toBeLessThan(300)
    server.resume()
    await using b = processOn(there, { leaseMs: LEASE_MS })
    // What was claimed in vain is given back: nobody elsewhere waits for it.
    await until(async () => (await b.claim('away-0')).role === 'recorder', 'a claim of its own')
  })
})
