import { hash } from 'node:crypto'
import type { EventsScript } from './port.ts'

function script(source: string): EventsScript {
  return { source, sha1: hash('sha1', source) }
}

/** The log's clock, in milliseconds: that of Redis, unless an entry is ahead of it. */
const clock = `
local function clock(newest)
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local last = newest and tonumber(string.match(newest[1], '^%d+')) or 0
  return math.max(now, last)
end`

/**
 * Adds an entry, whose fields are its data, the id of the one before it, by which a reader sees when something
 * between was dropped, and its number, by which entries are counted. ARGV: maxEntries, ttlMs, maxAgeMs, the data.
 */
export const appendScript: EventsScript = script(`${clock}
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
if ARGV[3] ~= '0' and newest then
  local oldest = math.max(0, clock(newest) - ARGV[3])
  redis.call('XTRIM', KEYS[1], 'MINID', '=', string.format('%.0f', oldest))
end
local number = (newest and tonumber(newest[2][6]) or 0) + 1
local id = redis.call('XADD', KEYS[1], 'MAXLEN', '=', ARGV[1], '*', 'd', ARGV[4],
  'p', newest and newest[1] or '', 'n', string.format('%.0f', number))
if ARGV[2] ~= '0' then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
redis.call('PUBLISH', KEYS[1], id)
return id`)

/** The newest id without its data. */
export const lastScript: EventsScript = script(`
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
return newest and newest[1] or ''`)

/** What the log's clock says. */
export const clockScript: EventsScript = script(`${clock}
return clock(redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1])`)

/** How many entries there are from one id to another, as their numbers say. ARGV: both ids. */
export const countScript: EventsScript = script(`
local oldest = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[2], 'COUNT', 1)[1]
if not oldest then return 0 end
local newest = redis.call('XREVRANGE', KEYS[1], ARGV[2], ARGV[1], 'COUNT', 1)[1]
local first, last = tonumber(oldest[2][6]), tonumber(newest[2][6])
if first and last then return last - first + 1 end
return redis.error_reply('ERR an entry has no number: it was not made by append')`)
