import assert from 'node:assert/strict'
import type { Match } from '../core/driver.ts'
import { driverCase, LONG, oddNames, type Probe } from './harness.ts'

async function found(probe: Probe, match: Match): Promise<readonly string[]> {
  const keys = new Set<string>()
  for await (const batch of probe.driver.keys(match)) for (const key of batch) keys.add(key)
  const own = probe.own('')
  return [...keys]
    .filter((key) => key.startsWith(own))
    .map((key) => key.slice(own.length))
    .sort()
}

const prefix = (probe: Probe, text: string) => found(probe, { prefix: probe.own(text) })
const pattern = (probe: Probe, text: string) => found(probe, { pattern: probe.own(text) })

/** What a pattern means, said as simply as can be. */
function means(pattern: readonly string[], text: readonly string[]): boolean {
  const [first, ...rest] = pattern
  if (first === undefined) return text.length === 0
  if (first === '*') return means(rest, text) || (text.length > 0 && means(pattern, text.slice(1)))
  if (first === '?') return text.length > 0 && means(rest, text.slice(1))
  const [next, ...after] = rest
  if (first === '\\' && next !== undefined) return text[0] === next && means(after, text.slice(1))
  return text[0] === first && means(rest, text.slice(1))
}

/** All texts of these characters, up to a length. */
function textsOf(characters: readonly string[], length: number): readonly string[] {
  if (length === 0) return ['']
  const shorter = textsOf(characters, length - 1)
  const longest = shorter.filter((text) => [...text].length === length - 1)
  return [...shorter, ...longest.flatMap((text) => characters.map((last) => text + last))]
}

async function store(probe: Probe, names: readonly string[]): Promise<void> {
  const bytes = Uint8Array.of(1)
  const writes = names.map((name) => ({ key: probe.own(name), bytes, stamp: 's', ttlMs: LONG }))
  await probe.driver.write(writes)
}

/** The walk over the keys that match. */
export const keyCases = [
  driverCase('finds the keys that begin with a text, whatever it is', async (probe) => {
    await store(probe, [...oddNames, ...oddNames.map((name) => `${name}more`)])
    assert.deepEqual(await prefix(probe, 'none'), [])
    for (const name of oddNames) {
      const all = [...oddNames, ...oddNames.map((other) => `${other}more`)]
      const expected = [...new Set(all.filter((other) => other.startsWith(name)))].sort()
      assert.deepEqual(await prefix(probe, name), expected, `prefix ${JSON.stringify(name)}`)
    }
    const everything = await found(probe, { prefix: '' })
    assert.equal(everything.length, (await prefix(probe, '')).length)
  }),
  driverCase('finds a key by a pattern that says it literally', async (probe) => {
    await store(probe, oddNames)
    for (const name of oddNames) {
      const literal = name.replace(/[*?\\]/g, '\\$&')
      assert.deepEqual(await pattern(probe, literal), [name], `key ${JSON.stringify(name)}`)
    }
  }),
  driverCase(
    'means by a pattern what it says: any text, one character, the next one as it is',
    async (probe) => {
      const characters = ['a', '*', '?', '\\', '[', '^']
      const names = textsOf(characters, 2).filter((text) => text !== '')
      await store(probe, names)
      for (const text of textsOf(characters, 3)) {
        const expected = names.filter((name) => means([...text], [...name])).sort()
        assert.deepEqual(await pattern(probe, text), expected, `pattern ${JSON.stringify(text)}`)
      }
    },
  ),
  driverCase('counts characters, not the bytes or units they are made of', async (probe) => {
    await store(probe, ['a', 'é', '日', '😀', '\n', '😀😀', 'a😀', 'ab', 'abc'])
    assert.deepEqual(await pattern(probe, '?'), ['a', 'é', '日', '😀', '\n'].sort())
    assert.deepEqual(await pattern(probe, '??'), ['😀😀', 'a😀', 'ab'].sort())
    assert.deepEqual(await pattern(probe, 'a?'), ['a😀', 'ab'].sort())
    assert.deepEqual(await pattern(probe, '*?c'), ['abc'])
    assert.deepEqual(await pattern(probe, '?*😀'), ['😀😀', 'a😀'].sort())
  }),
  driverCase('takes patterns that are meant to take for ever', async (probe) => {
    await store(probe, ['a'.repeat(1_000), `${'a'.repeat(1_000)}b`])
    assert.deepEqual(await pattern(probe, `${'a*'.repeat(200)}b`), [`${'a'.repeat(1_000)}b`])
    assert.deepEqual(await pattern(probe, `${'*?'.repeat(900)}c`), [])
    assert.equal((await pattern(probe, `${'*a'.repeat(990)}*`)).length, 2)
  }),
  driverCase('comes in batches to all that is there all the while', async (probe) => {
    const names = Array.from({ length: 1_500 }, (_, at) => `walked-${at}`)
    await store(probe, names)
    const keys = new Set<string>()
    let batches = 0
    for await (const batch of probe.driver.keys({ prefix: probe.own('walked-') })) {
      batches += 1
      for (const key of batch) keys.add(key)
      await store(
        probe,
        Array.from({ length: 50 }, (_, at) => `walked-new-${batches}-${at}`),
      )
    }
    assert.ok(batches > 1, 'all came at once')
    assert.deepEqual(
      names.filter((name) => !keys.has(probe.own(name))),
      [],
    )
  }),
  driverCase('finds entries alone: no tag, no lease', async (probe) => {
    await probe.invalidate('tag')
    await probe.know('known', LONG, 1)
    await probe.driver.lock(probe.own('leased'), 'token', LONG)
    await store(probe, ['entry'])
    assert.deepEqual(await found(probe, { prefix: '' }), ['entry'])
    assert.deepEqual(await found(probe, { pattern: '*' }), ['entry'])
  }),
  driverCase('may be left in the middle of a walk', async (probe) => {
    await store(
      probe,
      Array.from({ length: 1_200 }, (_, at) => `left-${at}`),
    )
    for await (const batch of probe.driver.keys({ prefix: probe.own('left-') })) {
      if (batch.length > 0) break
    }
    assert.equal((await prefix(probe, 'left-')).length, 1_200)
  }),
]
