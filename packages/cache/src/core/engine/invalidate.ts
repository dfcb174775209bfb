import type { InvalidateTarget } from '../cache.ts'
import { list } from '../checks.ts'
import type { Target } from '../coherence.ts'
import { describe } from '../duration.ts'
import { checkTag, userTag } from '../entry-options.ts'
import { CacheError } from '../errors.ts'
import { checkKey } from '../keys.ts'
import { escapePattern } from '../match.ts'
import { namespaceTag } from '../reserved.ts'
import type { Engine } from './engine.ts'

const KINDS = ['key', 'keys', 'tag', 'tags', 'user', 'namespace', 'prefix', 'pattern']

/** What a user wants to be invalid, in the keys of all namespaces. */
export function targetsOf(
  target: InvalidateTarget,
  prefix: string,
  full: (key: string) => string,
): readonly Target[] {
  const kinds = Object.keys(Object(target))
  if (kinds.length !== 1 || kinds.some((kind) => !KINDS.includes(kind))) {
    throw new CacheError(
      'invalid_option',
      `What is invalidated is one of ${KINDS.join(', ')}; here it is: ${kinds.join(', ') || describe(target)}.`,
    )
  }
  if ('key' in target) return [{ keys: [full(target.key)] }]
  if ('keys' in target) return [{ keys: list('keys', target.keys).map(full) }]
  if ('tag' in target) return [{ tag: checkTag(target.tag) }]
  if ('tags' in target) {
    return [...new Set(list('tags', target.tags).map(checkTag))].map((tag) => ({ tag }))
  }
  if ('user' in target) return [{ tag: userTag(target.user) }]
  if ('prefix' in target) return [{ match: { prefix: prefix + text('prefix', target.prefix) } }]
  if ('pattern' in target) {
    return [{ match: { pattern: escapePattern(prefix) + text('pattern', target.pattern) } }]
  }
  const inner = `${prefix}${checkKey(target.namespace)}:`
  return [{ match: { prefix: inner }, tag: namespaceTag(inner) }]
}

/** Invalidates, and says so to who listens. */
export async function invalidateAll(
  engine: Engine,
  targets: readonly Target[],
  sweep: boolean,
): Promise<number> {
  const removed = await engine.invalidate(targets, sweep)
  if (engine.listening) {
    engine.emit({ type: 'invalidated', what: targets.map(nameOf).join(', '), removed })
  }
  return removed
}

function nameOf(target: Target): string {
  if ('keys' in target) return target.keys.length === 1 ? `key ${target.keys[0]}` : 'keys'
  if (!('match' in target)) return `tag ${target.tag}`
  if ('prefix' in target.match) return `prefix ${target.match.prefix}`
  return `pattern ${target.match.pattern}`
}

function text(name: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value
  throw new CacheError(
    'invalid_option',
    `${name} is ${describe(value)}; it has to be a text that isn’t empty. To remove everything use clear().`,
  )
}
