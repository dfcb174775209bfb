import { hash } from 'node:crypto'

/**
 * Who shares the store, as a sorted set of nodes by when they were last heard of. ARGV: a node, and how many
 * milliseconds after its last beat one is gone. Answers how many there are.
 *
 * When the clock of Redis steps back, those heard of in what is now the future count as heard of now: they
 * are neither lost nor kept for as long as the step was.
 */
const beat = `
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local key, lasts = KEYS[1], tonumber(ARGV[2])
local function text(number) return string.format('%.0f', number) end

for _, node in ipairs(redis.call('ZRANGEBYSCORE', key, '(' .. text(now), '+inf')) do
  redis.call('ZADD', key, text(now), node)
end
redis.call('ZADD', key, text(now), ARGV[1])
redis.call('ZREMRANGEBYSCORE', key, '-inf', text(now - lasts))
redis.call('PEXPIRE', key, text(lasts * 2))
return redis.call('ZCARD', key)
`

const leave = `return redis.call('ZREM', KEYS[1], ARGV[1])`

/** A node says that it is there, and learns how many are. */
export const beatScript = Object.freeze({ source: beat, sha1: hash('sha1', beat) })

/** A node says that it goes. */
export const leaveScript = Object.freeze({ source: leave, sha1: hash('sha1', leave) })
