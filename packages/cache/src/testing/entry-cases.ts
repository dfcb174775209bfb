import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { driverCase, LONG, oddNames, type Probe } from './harness.ts'

/** Bytes that look like chance, and are the same each time. */
function noise(length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; at += 32) {
    bytes.set(
      createHash('sha256')
        .update(String(at))
        .digest()
        .subarray(0, length - at),
      at,
    )
  }
  return bytes
}

async function roundTrip(probe: Probe, bytes: Uint8Array): Promise<void> {
  const write = { key: probe.own('bytes'), bytes, stamp: 's', ttlMs: LONG }
  assert.deepEqual(await probe.driver.write([write]), [true])
  const read = (await probe.read('bytes')).bytes
  assert.ok(read instanceof Uint8Array, 'nothing came back')
  assert.ok(Buffer.compare(read, bytes) === 0, `${bytes.length} bytes came back as others`)
}

/** What is stored, how it comes back, and for how long. */
export const entryCases = [
  driverCase(
    'gives bytes back as they were, all 256 of them, none at all, and a MiB',
    async (probe) => {
      const all = Uint8Array.from({ length: 256 }, (_, byte) => byte)
      const pieces = [
        all,
        all.toReversed(),
        Uint8Array.of(0),
        Uint8Array.of(1),
        Uint8Array.of(2, 1, 0),
      ]
      for (const bytes of [...pieces, new Uint8Array(0), noise(2 ** 20)])
        await roundTrip(probe, bytes)
      await roundTrip(probe, noise(1_000).subarray(100, 300))
    },
  ),
  driverCase('keeps what the bytes were when they were given', async (probe) => {
    const bytes = Uint8Array.of(1, 2, 3)
    const key = probe.own('mutable')
    const written = probe.driver.write([{ key, bytes, stamp: 's', ttlMs: LONG }])
    bytes.fill(9)
    await written
    const { bytes: read } = await probe.read('mutable')
    assert.deepEqual([...(read ?? [])], [1, 2, 3])
    read?.fill(9)
    assert.deepEqual([...((await probe.read('mutable')).bytes ?? [])], [1, 2, 3])
  }),
  driverCase('says what it has of each key, in their order', async (probe) => {
    assert.deepEqual(await probe.driver.read([]), [])
    assert.deepEqual(await probe.driver.write([]), [])
    const names = Array.from({ length: 250 }, (_, at) => `key-${at}`)
    const writes = names
      .filter((_, at) => at % 3 !== 0)
      .map((name) => ({
        key: probe.own(name),
        bytes: new TextEncoder().encode(name),
        stamp: name,
        ttlMs: LONG,
      }))
    assert.deepEqual(
      await probe.driver.write(writes),
      writes.map(() => true),
    )
    const asked = [...names, ...names.toReversed()]
    const read = await probe.driver.read(asked.map((name) => probe.own(name)))
    const told = read.map(({ stamp, bytes }) => [stamp, bytes && new TextDecoder().decode(bytes)])
    const stored = new Set(writes.map(({ stamp }) => stamp))
    const expected = asked.map((name) => (stored.has(name) ? [name, name] : [undefined, undefined]))
    assert.deepEqual(told, expected)
  }),
  driverCase('takes keys of any characters, and no key for another', async (probe) => {
    for (const name of oddNames) assert.equal(await probe.write(name, name), true)
    for (const name of oddNames) assert.equal(await probe.text(name), name)
    assert.equal(await probe.remove(oddNames, 0), oddNames.length)
    for (const name of oddNames) assert.equal(await probe.text(name), undefined)
  }),
  driverCase('keeps an entry for its ttl', async (probe) => {
    const begun = performance.now()
    await probe.write('short', 'value', { ttlMs: 200 })
    await probe.before(200, begun, async () => {
      assert.equal(await probe.text('short'), 'value')
    })
    assert.deepEqual({ ...(await probe.read('short')) }, { stamp: undefined, bytes: undefined })
  }),
  driverCase('goes by the ttl of the last write', async (probe) => {
    await probe.write('longer', 'first', { ttlMs: 100 })
    await probe.write('longer', 'second')
    await probe.write('shorter', 'first')
    await probe.write('shorter', 'second', { ttlMs: 100 })
    await probe.pass(100)
    assert.equal(await probe.text('longer'), 'second')
    assert.equal(await probe.text('shorter'), undefined)
  }),
  driverCase('takes any ttl above 0', async (probe) => {
    for (const ttlMs of [0.01, 1.5, 1e13, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY]) {
      assert.equal(await probe.write(`ttl-${ttlMs}`, 'value', { ttlMs }), true)
      assert.equal(await probe.write(`ttl-${ttlMs}`, 'value', { ttlMs, ifStamp: undefined }), true)
    }
    assert.equal(await probe.text('ttl-Infinity'), 'value')
    assert.equal(await probe.text('ttl-10000000000000'), 'value')
  }),
]
