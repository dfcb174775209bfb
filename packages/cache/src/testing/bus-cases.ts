import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CacheBus } from '../core/driver.ts'
import { type BusHarness, conformanceCase } from './harness.ts'

const busCase = (name: string, body: (harness: BusHarness) => Promise<void>) =>
  conformanceCase<BusHarness>(name, body)

class Ear {
  readonly messages: string[] = []
  readonly resets: ('lost' | 'back')[] = []

  onMessage(message: string): void {
    this.messages.push(message)
  }

  onReset(state: 'lost' | 'back'): void {
    this.resets.push(state)
  }
}

async function listen(bus: CacheBus) {
  const ear = new Ear()
  return { ear, end: await bus.subscribe(ear) }
}

async function until(check: () => boolean, what: () => string): Promise<void> {
  for (const deadline = Date.now() + 10_000; !check(); await sleep(5)) {
    if (Date.now() > deadline) assert.fail(what())
  }
}

/** Waits until the ear has heard so many, and then whether there are more. */
async function heard(ear: Ear, count: number): Promise<readonly string[]> {
  await until(
    () => ear.messages.length >= count,
    () => `${ear.messages.length} of ${count} messages arrived`,
  )
  await sleep(20)
  return ear.messages
}

/** Publishes until it arrives: what is published just when a connection is back may be lost yet. */
async function hearsAgain(ear: Ear, bus: CacheBus): Promise<void> {
  await until(
    () => ear.resets.at(-1) === 'back',
    () => 'it did not come back',
  )
  const before = ear.messages.length
  for (const deadline = Date.now() + 10_000; ear.messages.length === before; await sleep(20)) {
    if (Date.now() > deadline) assert.fail('nothing arrives any more')
    await bus.publish('again').catch(() => undefined)
  }
}

/** What every bus has to do. */
export const busCases = [
  busCase('tells everybody who listens, here and elsewhere, once', async ({ bus, elsewhere }) => {
    const listeners = [await listen(bus), await listen(bus), await listen(elsewhere)]
    const texts = ['plain', '', '{"a":[1,null]}', 'é 日本 😀\n\r\0', 'x'.repeat(100_000)]
    for (const text of texts) await bus.publish(text)
    await elsewhere.publish('from elsewhere')
    for (const { ear } of listeners) {
      const messages = await heard(ear, texts.length + 1)
      assert.deepEqual([...messages].sort(), [...texts, 'from elsewhere'].sort())
      assert.deepEqual(ear.resets, [])
    }
    for (const { end } of listeners) await end()
  }),
  busCase('delivers all of many messages at once', async ({ bus, elsewhere }) => {
    const { ear, end } = await listen(elsewhere)
    const texts = Array.from({ length: 500 }, (_, at) => `message ${at}`)
    await Promise.all(texts.map((text) => bus.publish(text)))
    assert.deepEqual([...(await heard(ear, 500))].sort(), texts.sort())
    await end()
  }),
  busCase('tells nothing more to who has ended it, and goes on for the others', async ({ bus }) => {
    const [gone, stays] = [await listen(bus), await listen(bus)]
    await gone.end()
    await gone.end()
    await bus.publish('later')
    assert.deepEqual(await heard(stays.ear, 1), ['later'])
    assert.deepEqual(gone.ear.messages, [])
    await stays.end()
  }),
  busCase('takes the same listener twice for two', async ({ bus }) => {
    const ear = new Ear()
    const [one, two] = [await bus.subscribe(ear), await bus.subscribe(ear)]
    await bus.publish('hello')
    assert.deepEqual(await heard(ear, 2), ['hello', 'hello'])
    await one()
    await bus.publish('bye')
    assert.deepEqual(await heard(ear, 3), ['hello', 'hello', 'bye'])
    await two()
  }),
  busCase('says that messages may be missed, and when they are heard again', async (harness) => {
    const { bus, elsewhere, lose, restore } = harness
    if (lose === undefined || restore === undefined) return
    const { ear, end } = await listen(bus)
    await lose.call(harness)
    await until(
      () => ear.resets.length > 0,
      () => 'the loss went unnoticed',
    )
    assert.equal(ear.resets[0], 'lost')
    await restore.call(harness)
    await hearsAgain(ear, elsewhere)
    await end()
  }),
  busCase('goes on trying when it can’t listen yet', async (harness) => {
    const { bus, elsewhere, lose, restore } = harness
    if (lose === undefined || restore === undefined) return
    await lose.call(harness)
    const { ear, end } = await listen(bus)
    assert.deepEqual(ear.resets, ['lost'])
    await restore.call(harness)
    await hearsAgain(ear, elsewhere)
    await end()
  }),
]
