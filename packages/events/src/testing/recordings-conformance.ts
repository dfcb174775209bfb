import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type {
  ClaimOptions,
  Following,
  Recorder,
  Recording,
  RecordingReader,
  Recordings,
} from '../core/recording.ts'

/** Recordings to be examined. */
export interface RecordingsHarness {
  /**
   * The recordings of one more process, that share a store with all others that were opened, or of this one
   * alone, where there is no store; with `maxBytes` of 10,000.
   */
  open(): Recordings<unknown>
}

/** One thing that shared recordings have to do. */
export interface RecordingsConformanceCase {
  readonly name: string
  run(harness: RecordingsHarness): Promise<void>
}

const LIMIT_MS = 20_000

/** A reader that writes down what it is told. */
class Witness implements RecordingReader<unknown> {
  head: unknown
  text = ''
  end: string | undefined
  cause: unknown
  readonly place: Following

  constructor(recording: Recording<unknown>) {
    this.place = recording.follow(this)
  }

  onHead(head: unknown): void {
    this.head = head
  }

  onData(chunk: Uint8Array): boolean {
    assert.equal(this.end, undefined, 'bytes come after the end')
    this.text += Buffer.from(chunk).toString('latin1')
    return true
  }

  onEnd(): void {
    this.end = 'complete'
  }

  onFail({ code, cause }: { code: string; cause: unknown }): void {
    this.end = code
    this.cause = cause
  }

  async over(): Promise<void> {
    await until(() => this.end !== undefined, 'a reader has no end')
  }
}

async function until(check: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const begun = performance.now()
  while (!(await check())) {
    assert.ok(performance.now() - begun < LIMIT_MS, what)
    await sleep(5)
  }
}

/** A name that nobody else uses, and two processes that share it. */
interface Scene {
  readonly name: string
  readonly here: Recordings<unknown>
  readonly there: Recordings<unknown>
}

let names = 0

function recordingsCase(
  name: string,
  body: (scene: Scene) => Promise<void>,
): RecordingsConformanceCase {
  return {
    name,
    async run({ open }) {
      names += 1
      const [here, there] = [open(), open()]
      try {
        await body({ name: `${process.pid}:${names}:${Date.now()}`, here, there })
      } finally {
        await here.close()
        await there.close()
      }
    },
  }
}

const claim = async (by: Recordings<unknown>, name: string, options?: ClaimOptions) =>
  await by.claim(name, { shared: true, ...options })

async function begin(by: Recordings<unknown>, name: string, options?: ClaimOptions) {
  const claimed = await claim(by, name, options)
  assert.equal(claimed.role, 'recorder')
  return claimed.role === 'recorder' ? claimed.recorder : assert.fail()
}

async function join(by: Recordings<unknown>, name: string, options?: ClaimOptions) {
  const claimed = await claim(by, name, options)
  assert.equal(claimed.role, 'reader')
  return new Witness(claimed.role === 'reader' ? claimed.recording : assert.fail())
}

function record(recorder: Recorder<unknown>, ...texts: readonly string[]): void {
  if (recorder.recording.head === undefined) recorder.head({ status: 200 })
  for (const text of texts) recorder.push(Buffer.from(text, 'latin1'))
}

function abandonment(recorder: Recorder<unknown>): () => number {
  let told = 0
  const onAbandoned = () => {
    told += 1
  }
  recorder.listen({ onDrain: () => undefined, onAbandoned })
  return () => told
}

const beginsAnew = (by: Recordings<unknown>, name: string, options?: ClaimOptions) =>
  until(async () => (await claim(by, name, options)).role === 'recorder', 'it never begins anew')

/**
 * What recordings have to do that processes share, as cases for any test runner:
 * `for (const { name, run } of recordingsConformance) it(name, () => run({ open }))`. A case opens two, closes
 * them, and rejects with an `AssertionError` that says what is wrong.
 */
export const recordingsConformance: readonly RecordingsConformanceCase[] = [
  recordingsCase('readers everywhere have everything, live', async ({ name, here, there }) => {
    const recorder = await begin(here, name)
    const near = new Witness(recorder.recording)
    record(recorder, 'one ', '\x00\xff\x80')
    const far = await join(there, name)
    await until(() => far.text === near.text, 'what came before is missing')
    record(recorder, ' three')
    await until(() => far.text === near.text, 'it is not live')
    const late = await join(there, name)
    recorder.end()
    for (const reader of [near, far, late]) {
      await reader.over()
      assert.deepEqual([reader.head, reader.end], [{ status: 200 }, 'complete'])
      assert.equal(reader.text, 'one \x00\xff\x80 three')
    }
    await beginsAnew(there, name)
  }),
  recordingsCase('one of many has to record', async ({ name, here, there }) => {
    const claims = await Promise.all(
      Array.from({ length: 40 }, (_, at) => claim(at % 2 === 0 ? here : there, name)),
    )
    const readers: Witness[] = []
    const recorders: Recorder<unknown>[] = []
    for (const claimed of claims) {
      if (claimed.role === 'reader') readers.push(new Witness(claimed.recording))
      if (claimed.role === 'recorder') recorders.push(claimed.recorder)
    }
    assert.deepEqual([recorders.length, readers.length], [1, 39])
    for (const recorder of recorders) {
      record(recorder, 'x')
      recorder.end()
    }
    for (const reader of readers) {
      await reader.over()
      assert.deepEqual([reader.text, reader.end], ['x', 'complete'])
    }
  }),
  recordingsCase('another fingerprint is a mismatch', async ({ name, here, there }) => {
    await begin(here, name, { fingerprint: 'one' })
    for (const by of [here, there]) {
      assert.equal((await claim(by, name, { fingerprint: 'two' })).role, 'mismatch')
      assert.equal((await claim(by, name)).role, 'mismatch')
      assert.equal((await claim(by, name, { fingerprint: 'one' })).role, 'reader')
    }
  }),
  recordingsCase('names and fingerprints are texts of any form', async ({ name, here, there }) => {
    const texts = ['', ' ', '{a}', '*', 'ü'.repeat(5_000), '\ud800', '\udc00', '\ufffd']
    for (const text of texts) {
      const fingerprint = text
      await begin(here, `${name}${text}`, { fingerprint })
      assert.equal((await claim(there, `${name}${text}`, { fingerprint })).role, 'reader')
      for (const other of texts.filter((each) => each !== text)) {
        const claimed = await claim(there, `${name}${text}`, { fingerprint: other })
        assert.equal(claimed.role, 'mismatch')
      }
    }
  }),
  recordingsCase('a failure comes after all bytes, with its cause', async (scene) => {
    const recorder = await begin(scene.here, scene.name)
    const far = await join(scene.there, scene.name)
    record(recorder, 'some')
    recorder.fail({ kind: 'broken', at: [4] })
    await far.over()
    assert.deepEqual([far.head, far.text, far.end], [{ status: 200 }, 'some', 'failed'])
    assert.deepEqual(far.cause, { kind: 'broken', at: [4] })
    await beginsAnew(scene.there, scene.name)
  }),
  recordingsCase('what is complete is kept for its time', async ({ name, here, there }) => {
    const how = { keepMs: 700, fingerprint: 'f' }
    const recorder = await begin(here, name, how)
    record(recorder, 'kept')
    recorder.end()
    for (const by of [here, there, there]) {
      const reader = await join(by, name, how)
      await reader.over()
      assert.deepEqual([reader.text, reader.end], ['kept', 'complete'])
    }
    assert.equal((await claim(there, name, { fingerprint: 'other' })).role, 'mismatch')
    await beginsAnew(there, name, how)
    assert.notEqual((await claim(here, name, how)).role, 'recorder')
  }),
  recordingsCase('the last reader anywhere abandons it', async ({ name, here, there }) => {
    const recorder = await begin(here, name)
    const told = abandonment(recorder)
    const near = new Witness(recorder.recording)
    const far = await join(there, name)
    record(recorder, 'x')
    near.place.leave()
    record(recorder, 'y')
    await until(() => far.text === 'xy', 'it did not go on for the other reader')
    assert.equal(told(), 0)
    far.place.leave()
    await until(() => told() > 0, 'nobody has told the recorder')
    assert.equal(recorder.recording.state, 'failed')
    await beginsAnew(there, name)
    assert.equal(told(), 1)
  }),
  recordingsCase('it is abandoned when nobody elsewhere ever came', async ({ name, here }) => {
    const recorder = await begin(here, name)
    const told = abandonment(recorder)
    new Witness(recorder.recording).place.leave()
    await until(() => told() === 1, 'nobody has told the recorder')
  }),
  recordingsCase('with persist it goes on without readers', async ({ name, here, there }) => {
    const recorder = await begin(here, name, { persist: true })
    const told = abandonment(recorder)
    new Witness(recorder.recording).place.leave()
    ;(await join(there, name)).place.leave()
    record(recorder, 'x')
    const reader = await join(there, name)
    recorder.end()
    await reader.over()
    assert.deepEqual([reader.text, reader.end, told()], ['x', 'complete', 0])
  }),
  recordingsCase('who comes back finds it', async ({ name, here, there }) => {
    const recorder = await begin(here, name)
    new Witness(recorder.recording)
    record(recorder, 'x')
    ;(await join(there, name)).place.leave()
    const reader = await join(there, name)
    record(recorder, 'y')
    recorder.end()
    await reader.over()
    assert.deepEqual([reader.text, reader.end], ['xy', 'complete'])
  }),
  recordingsCase('what grows too large goes on where it is made', async (scene) => {
    for (const how of [{}, { keepMs: 60_000 }]) {
      const name = `${scene.name}:${how.keepMs}`
      const recorder = await begin(scene.here, name, how)
      const near = new Witness(recorder.recording)
      record(recorder)
      for (let at = 0; at < 20; at += 1) record(recorder, 'x'.repeat(1_000))
      assert.equal(near.text.length, 20_000)
      const role = how.keepMs === undefined ? 'recorder' : 'too_large'
      await until(async () => (await claim(scene.there, name, how)).role === role, `not ${role}`)
      recorder.end()
      assert.equal(near.end, 'complete')
    }
  }),
  recordingsCase('what is forgotten begins anew, and goes on for its readers', async (scene) => {
    const { name, here, there } = scene
    const recorder = await begin(here, name, { keepMs: 60_000 })
    const far = await join(there, name)
    await there.forget(name)
    record(recorder, 'x')
    recorder.end()
    await far.over()
    assert.deepEqual([far.text, far.end], ['x', 'complete'])
    for (const by of [here, there]) {
      await beginsAnew(by, name)
      await by.forget(name)
    }
  }),
]
