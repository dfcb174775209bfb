import { randomUUID } from 'node:crypto'
import type { CacheBus, CacheDriver, Stored, Write } from '../core/driver.ts'

/** A driver to be examined, and its clock. */
export interface DriverHarness {
  /** May hold others' data: cases use keys and tags of their own. */
  readonly driver: CacheDriver
  /** Lets at least so many milliseconds pass: moves the driver's clock, or waits when it can't be moved. */
  advance(ms: number): void | Promise<void>
  /** Whether time stands still but for `advance`, so that every millisecond can be checked. */
  readonly exact: boolean
  /** Loses all that the driver has stored, as a restart may. Absent: it can't, or it would be others' too. */
  lose?(): void | Promise<void>
  /** Called at the end of each case. */
  close?(): void | Promise<void>
}

/** A bus to be examined. */
export interface BusHarness {
  readonly bus: CacheBus
  /** The same bus, as another process has it. */
  readonly elsewhere: CacheBus
  /** Breaks the connections that listen, until `restore`. Absent: it can't be done. */
  lose?(): void | Promise<void>
  restore?(): void | Promise<void>
  /** Called at the end of each case. */
  close?(): void | Promise<void>
}

/** One thing that a driver, or a bus, has to do. */
export interface ConformanceCase<Harness> {
  readonly name: string
  run(open: () => Harness | Promise<Harness>): Promise<void>
}

interface Closable {
  close?(): void | Promise<void>
}

/** A case, with what it is about opened for it and closed after it. */
export function conformanceCase<Harness extends Closable>(
  name: string,
  body: (harness: Harness) => Promise<void>,
): ConformanceCase<Harness> {
  return {
    name,
    async run(open) {
      const harness = await open()
      try {
        await body(harness)
      } finally {
        await harness.close?.()
      }
    },
  }
}

/** Longer than any case takes. */
export const LONG = 600_000

/** Asks a driver about keys and tags that nobody else uses. */
export class Probe {
  readonly harness: DriverHarness
  readonly driver: CacheDriver
  readonly #own: string = randomUUID()

  constructor(harness: DriverHarness) {
    this.harness = harness
    this.driver = harness.driver
  }

  /** A key, or a tag, of this case's own. */
  own(name: string): string {
    return `${this.#own}:${name}`
  }

  async read(name: string): Promise<Stored> {
    const [stored] = await this.driver.read([this.own(name)])
    if (stored === undefined) throw new TypeError('The driver said nothing of a key.')
    return stored
  }

  async text(name: string): Promise<string | undefined> {
    const { bytes } = await this.read(name)
    return bytes === undefined ? undefined : Buffer.from(bytes).toString()
  }

  /** Stores a text; whatever is there, unless `ifStamp` says what has to be. */
  async write(name: string, text: string, more: Partial<Write> = {}): Promise<boolean> {
    const bytes = new TextEncoder().encode(text)
    const write = { key: this.own(name), bytes, stamp: randomUUID(), ttlMs: LONG, ...more }
    const [stored] = await this.driver.write([write])
    if (stored === undefined) throw new TypeError('The driver said nothing of a write.')
    return stored
  }

  async remove(names: readonly string[], markMs: number): Promise<number> {
    return await this.driver.remove(
      names.map((name) => this.own(name)),
      markMs,
    )
  }

  async epoch(name: string): Promise<number | undefined> {
    const [epoch] = await this.driver.epochs([this.own(name)])
    return epoch
  }

  async know(name: string, ttlMs: number, seq: number): Promise<void> {
    await this.driver.know([this.own(name)], ttlMs, seq)
  }

  async invalidate(name: string, ttlMs = LONG): Promise<number> {
    return await this.driver.invalidate(this.own(name), ttlMs)
  }

  async pass(ms: number): Promise<void> {
    await this.harness.advance(ms)
  }

  /**
   * Checks what has to hold until `ms` have passed since `begun`, by `performance.now()`: at the last
   * moment where time can be counted, and not at all where it has run away meanwhile.
   */
  async before(ms: number, begun: number, check: () => Promise<void>): Promise<void> {
    if (this.harness.exact) {
      await this.pass(ms - 1)
      await check()
      return await this.pass(1)
    }
    const failure = await check().catch((error: unknown) => ({ error }))
    if (failure !== undefined && performance.now() - begun < ms) throw failure.error
    await this.pass(ms)
  }
}

/** A case about a driver. */
export function driverCase(
  name: string,
  body: (probe: Probe) => Promise<void>,
): ConformanceCase<DriverHarness> {
  return conformanceCase(name, (harness) => body(new Probe(harness)))
}

const names: readonly string[] = [
  ...[...' !"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~'],
  ...[
    'a*',
    'a?',
    '[a]',
    '[^a]',
    '[a-z]',
    '\\*',
    '\\\\',
    'a\\',
    '**',
    '{a}',
    '{}',
    '{',
    '}{',
    '{a}{b}',
  ],
  ...[
    '\n',
    '\r\n',
    '\t',
    '\0',
    'a b',
    ' a',
    'a ',
    'é',
    'e\u0301',
    '日本',
    '😀',
    '\u{10ffff}',
    '\ufeff',
  ],
  ...[
    'a',
    'A',
    'a:v:b',
    'v:',
    ':',
    '::',
    '0',
    '-1',
    'null',
    'undefined',
    '__proto__',
    'constructor',
  ],
  'x'.repeat(2_000),
]

/** Keys and tags of every kind of character that something on the way could take for its own. */
export const oddNames: readonly string[] = [...new Set(names)]
