import { Alone } from './alone.ts'
import type { Cache } from './cache.ts'
import { Clock } from './clock.ts'
import { Engine } from './engine/engine.ts'
import { Learned } from './engine/learned.ts'
import { CacheView } from './engine/view.ts'
import { MemoryTier } from './memory-tier.ts'
import { type CacheOptions, parseOptions } from './options.ts'
import { Shared } from './shared/shared.ts'

/**
 * Makes a cache. Without `l2` it is one process's; with it, several processes share what they make.
 *
 * @throws CacheError `invalid_option`, which names what is wrong.
 */
export function createCache(options: CacheOptions = {}): Cache {
  const settings = parseOptions(options)
  const { now, random, policy, maxKeyLength } = settings
  const clock = new Clock(now, options.now !== undefined)
  const tier = new MemoryTier({
    ...settings.memory,
    now,
    clock,
    onEvict: (key) => engine.emit({ type: 'evicted', key }),
  })
  const engine = new Engine({ tier, now, clock, random, listener: options.onEvent })
  const { shared } = settings
  engine.attach(
    shared === undefined
      ? new Alone()
      : new Shared({
          ...shared,
          name: settings.name,
          bus: options.bus,
          firstTier: engine,
          factoryMs: policy.hardMs,
          now,
          random,
          emit: (event) => engine.emit(event),
        }),
  )
  const learned = new Learned(engine, options, settings)
  return new CacheView({ engine, policy, maxKeyLength, learned })
}
