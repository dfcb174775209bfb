import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Listener } from './listener.fixture.ts'
import type { Recorder } from './recording.ts'
import { createRecordings } from './recordings.ts'

const reader = fc.nat(5)
const size = fc.oneof(fc.nat(40), fc.integer({ min: 100, max: 900 }))

/** What readers do, between chunks or from inside a call. */
const deed = fc.oneof(
  fc.record({ do: fc.constantFrom('join', 'leave', 'rest', 'resume', 'throw'), reader }),
  fc.record({ do: fc.constant('push'), size }),
)
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('push'), size }) },
  { weight: 3, arbitrary: deed },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('turn') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('inside'), reader, deed }) },
)
const ending = fc.constantFrom('end', 'fail', 'leave')
const options = fc.record({
  maxBytes: fc.constantFrom(500, 3_000, 1_000_000),
  maxTotalBytes: fc.constantFrom(2_000, 1_000_000),
  persist: fc.boolean(),
})

type Deed = { readonly do: string; readonly reader?: number; readonly size?: number }
type Step = Deed & { readonly deed?: Deed }

/** One recording and six readers that do as they like. */
class Scene {
  readonly recorded: Uint8Array[] = []
  readonly listeners: Listener[] = []
  readonly #inside = new Map<number, Deed>()
  readonly #recorder: Recorder<unknown>
  #drained = true
  abandoned = 0

  constructor(recorder: Recorder<unknown>) {
    this.#recorder = recorder
    recorder.head({})
    recorder.listen({
      onDrain: () => {
        this.#drained = true
      },
      onAbandoned: () => {
        this.abandoned += 1
      },
    })
  }

  get all(): Buffer {
    return Buffer.concat(this.recorded)
  }

  async take(step: Step): Promise<void> {
    if (step.do === 'turn') await turn()
    else if (step.do === 'inside' && step.deed) this.#inside.set(step.reader ?? 0, step.deed)
    else this.#act(step)
  }

  finish(how: string): void {
    this.#inside.clear()
    if (how === 'end') this.#recorder.end()
    if (how === 'fail') this.#recorder.fail('broken')
    for (const listener of [...this.listeners]) {
      if (how === 'leave') listener.place?.leave()
      else listener.take()
    }
  }

  #act({ do: what, reader: at = 0, size: length = 0 }: Deed): void {
    const listener = this.listeners[at]
    if (what === 'push') this.#push(length)
    if (what === 'join' && this.#recorder.recording.joinable) this.#join()
    if (what === 'leave') listener?.place?.leave()
    if (what === 'rest' && listener !== undefined && listener.takes > 1) listener.takes = 1
    if (what === 'resume') listener?.take(3)
    if (what === 'throw') throw new Error('a reader threw')
  }

  #push(length: number): void {
    const { recording } = this.#recorder
    const chunk = Buffer.alloc(length, this.recorded.length)
    if (recording.state === 'open') this.recorded.push(chunk)
    const more = this.#recorder.push(chunk)
    if (recording.state !== 'open') expect(more).toBe(true)
    this.#drained = more
  }

  #join(): void {
    const at = this.listeners.length
    const listener = new Listener()
    listener.onChunk = () => {
      const inside = this.#inside.get(at)
      this.#inside.delete(at)
      if (inside !== undefined) this.#act(inside)
    }
    this.listeners.push(listener.follow(this.#recorder.recording))
  }

  get drained(): boolean {
    return this.#drained
  }
}

describe('a recording', () => {
  it('gives whoever sees its end every byte, and everybody else a prefix', async () => {
    await fc.assert(
      fc.asyncProperty(
        options,
        fc.array(step, { maxLength: 60, size: 'max' }),
        ending,
        async (how, steps, end) => {
          const { persist, ...limits } = how
          const recordings = createRecordings<unknown>(limits)
          const claim = recordings.claim('a', { persist })
          if (claim instanceof Promise || claim.role !== 'recorder')
            throw new TypeError('No recorder')
          const scene = new Scene(claim.recorder)
          for (const each of steps) {
            if (each.do !== 'throw') await scene.take(each)
          }
          await turn()
          scene.finish(end)
          await turn()
          const { state } = claim.recorder.recording
          for (const listener of scene.listeners) {
            const had = Buffer.concat(listener.chunks)
            expect(had.equals(scene.all.subarray(0, had.length))).toBe(true)
            if (listener.ended) expect([state, had.length]).toEqual(['complete', scene.all.length])
            if (listener.fault?.code === 'failed') expect(had.length).toBe(scene.all.length)
          }
          expect(scene.abandoned).toBe(claim.recorder.recording.fault?.code === 'abandoned' ? 1 : 0)
          if (persist) expect(scene.abandoned).toBe(0)
          if (state !== 'open') expect(recordings.stats()).toEqual({ ...NOTHING, kept: 0 })
          else expect(recordings.stats().readers).toBe(0)
          const whole = claim.recorder.recording.whole()
          if (whole !== undefined) expect(scene.all.equals(whole)).toBe(true)
        },
      ),
      { numRuns: 1_500 },
    )
  })

  it('holds its source back exactly while there are readers and none of them takes more', async () => {
    const calm = fc.record({ do: fc.constantFrom('join', 'leave', 'rest', 'resume'), reader })
    const push = fc.record({ do: fc.constant('push'), size: fc.integer({ min: 1, max: 9 }) })
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(calm, push), { maxLength: 60, size: 'max' }),
        async (steps) => {
          const claim = createRecordings<unknown>().claim('a', { persist: true })
          if (claim instanceof Promise || claim.role !== 'recorder')
            throw new TypeError('No recorder')
          const scene = new Scene(claim.recorder)
          const left = new Set<number>()
          for (const each of steps) {
            await scene.take(each)
            await turn()
            if ('reader' in each && each.do === 'leave' && scene.listeners[each.reader]) {
              left.add(each.reader)
            }
            const there = scene.listeners.filter((_, at) => !left.has(at))
            const takes = there.some(({ takes: more }) => more > 0)
            if (!scene.drained) expect(takes).toBe(false)
            if (each.do === 'push') expect(scene.drained).toBe(there.length === 0 || takes)
          }
        },
      ),
      { numRuns: 500 },
    )
  })
})

const NOTHING = { open: 0, readers: 0, bytes: 0 }
