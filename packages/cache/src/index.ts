export type { CacheBus, CacheDriver, Match, Stamp, Stored, Write } from './core/driver.ts'
export { type MemoryBus, memoryBus } from './core/memory-bus.ts'
export { type MemoryDriver, type MemoryDriverOptions, memoryDriver } from './core/memory-driver.ts'
