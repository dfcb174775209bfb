import type { GetOrSetOptions, SetItem } from '../cache.ts'
import { list, wrong } from '../checks.ts'
import { type EntryOptions, type Policy, resolvePolicy } from '../entry-options.ts'
import type { Factory } from '../factory.ts'
import { checkValue, fullKey } from '../keys.ts'
import type { Counts } from '../stats.ts'
import type { WrapOptions } from '../wrap.ts'
import type { Ask } from './ask.ts'
import type { Item } from './engine.ts'

const CALL_ONLY = ['signal', 'fresh']
const ITEM_ONLY = ['key', 'value']
const WRAP_ONLY = ['name', 'key']

/** What a call means in its namespace: with the defaults of the cache, checked. */
export class Terms {
  readonly #policy: Policy
  readonly #maxKeyLength: number
  readonly #prefix: string
  readonly #tags: readonly string[]

  constructor(policy: Policy, maxKeyLength: number, prefix: string, tags: readonly string[]) {
    this.#policy = policy
    this.#maxKeyLength = maxKeyLength
    this.#prefix = prefix
    this.#tags = tags
  }

  /** The key as it is stored. */
  key(key: string): string {
    return fullKey(this.#prefix, key, this.#maxKeyLength)
  }

  keys(keys: readonly string[]): readonly string[] {
    return list('keys', keys).map((key) => this.key(key))
  }

  ask(
    key: string,
    factory: Factory<unknown>,
    options: GetOrSetOptions | undefined,
    counts: Counts,
  ): Ask {
    const policy = this.#over(options, CALL_ONLY)
    if (typeof factory !== 'function') {
      throw wrong('factory', factory, 'a function that makes the value')
    }
    return {
      key: this.key(key),
      name: key,
      factory,
      policy,
      tags: this.#tagsOf(policy),
      signal: options?.signal,
      fresh: options?.fresh === true,
      counts,
    }
  }

  item(key: string, value: unknown, options: EntryOptions | undefined): Item {
    return this.#item(key, value, this.#over(options))
  }

  items(items: readonly SetItem[]): Item[] {
    return list('items', items).map((item) =>
      this.#item(item.key, item.value, this.#over(item, ITEM_ONLY)),
    )
  }

  /** Those of a wrapped function that are its entries', checked now and not at the first miss. */
  wrapped<Args extends unknown[]>(options: WrapOptions<Args>): EntryOptions {
    const { name: _name, key: _key, ...entry } = options
    this.#over(options, WRAP_ONLY)
    return entry
  }

  #item(key: string, value: unknown, policy: Policy): Item {
    return { key: this.key(key), value: checkValue(value), policy, tags: this.#tagsOf(policy) }
  }

  #over(options: EntryOptions | undefined, others?: readonly string[]): Policy {
    return options === undefined ? this.#policy : resolvePolicy(this.#policy, options, others)
  }

  #tagsOf({ tags }: Policy): readonly string[] {
    return this.#tags.length === 0 ? tags : [...tags, ...this.#tags]
  }
}
