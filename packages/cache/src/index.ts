export type {
  Cache,
  CacheEntry,
  GetOrSetOptions,
  InvalidateOptions,
  InvalidateTarget,
  SetItem,
} from './core/cache.ts'
export { createCache } from './core/create-cache.ts'
export type { CacheBus, CacheDriver, Match, Stamp, Stored, Write } from './core/driver.ts'
export type { Duration } from './core/duration.ts'
export type { EntryOptions } from './core/entry-options.ts'
export { CacheError, type CacheErrorCode, CacheTimeoutError, isCacheError } from './core/errors.ts'
export type { CacheEvent, CacheListener, NotShared } from './core/events.ts'
export type { Factory, FactoryContext } from './core/factory.ts'
export { type MemoryBus, memoryBus } from './core/memory-bus.ts'
export { type MemoryDriver, type MemoryDriverOptions, memoryDriver } from './core/memory-driver.ts'
export type { CacheOptions, MemoryOptions } from './core/options.ts'
export type { PopularityOptions, PopularKey } from './core/popularity.ts'
export type { Outcomes } from './core/prediction/outcomes.ts'
export type { PredictionOptions } from './core/prediction/predict.ts'
export type { PredictionSettings, PredictionStats } from './core/prediction/prediction.ts'
export { jsonSerializer, type Serializer, structuredSerializer } from './core/serializer.ts'
export type { SharedTierOptions } from './core/shared-tier-options.ts'
export type { CacheCounts, CacheStats } from './core/stats.ts'
export type { WarmItem, WarmOptions, WarmProgress, WarmResult } from './core/warm.ts'
export type { CachedMethod, WrapOptions, Wrapped } from './core/wrap.ts'
