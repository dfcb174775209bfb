export type { CacheBus, CacheDriver, Match, Stamp, Stored, Write } from './core/driver.ts'
