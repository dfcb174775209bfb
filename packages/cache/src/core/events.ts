/** What happened in a cache. Keys are as they are stored: with the prefix of their namespace. */
export type CacheEvent =
  | { readonly type: 'hit'; readonly key: string; readonly tier: 'l1' | 'l2' }
  | { readonly type: 'stale'; readonly key: string; readonly ageMs: number }
  | { readonly type: 'miss'; readonly key: string }
  | { readonly type: 'set'; readonly key: string }
  | { readonly type: 'factory'; readonly key: string; readonly tookMs: number }
  | { readonly type: 'factory_failed'; readonly key: string; readonly error: unknown }
  | { readonly type: 'refresh_failed'; readonly key: string; readonly error: unknown }
  | { readonly type: 'invalidated'; readonly what: string; readonly removed: number }
  | { readonly type: 'evicted'; readonly key: string }
  | { readonly type: 'not_shared'; readonly key: string; readonly reason: NotShared }
  | { readonly type: 'unreadable'; readonly key: string }
  | { readonly type: 'l2_error'; readonly error: unknown }
  | { readonly type: 'l2_away' }
  | { readonly type: 'recovered' }
  | { readonly type: 'bus_lost' }
  | { readonly type: 'bus_back' }

/** Why an entry is in the first tier only. */
export type NotShared = 'too_large' | 'unserializable' | 'superseded'

/** Listens. */
export type CacheListener = (event: CacheEvent) => void
