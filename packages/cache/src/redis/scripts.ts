import { hash } from 'node:crypto'

const script = (source: string) => Object.freeze({ source, sha1: hash('sha1', source) })

/** Exact as text up to 2^53, where Lua would write an exponent. */
const whole = `
local function whole(number)
  return string.format('%.0f', number)
end
`

/**
 * Stores what ARGV[1] holds for ARGV[2] milliseconds if what is there has the stamp ARGV[3], or is
 * nothing of ours when that is empty. What isn't a text is nobody's, and no error.
 */
export const writeScript = script(`
local stamp = ARGV[3]
if stamp == '' then
  local kind = redis.pcall('GETRANGE', KEYS[1], 0, 0)
  if kind == '\\1' or kind == '\\2' then return 0 end
elseif redis.pcall('GETRANGE', KEYS[1], 1, #stamp) ~= stamp then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
`)

/**
 * Removes what is there, and leaves the mark ARGV[1], if any, for ARGV[2] milliseconds, or for as long as
 * the mark that is there already. Returns 1 if it was an entry.
 */
export const removeScript = script(`${whole}
local kind = redis.pcall('GETRANGE', KEYS[1], 0, 0)
local removed = kind == '\\1' and 1 or 0
if ARGV[1] == '' then
  if removed == 1 then redis.call('UNLINK', KEYS[1]) end
  return removed
end
local lasts = tonumber(ARGV[2])
if kind == '\\2' then lasts = math.max(lasts, redis.call('PTTL', KEYS[1])) end
redis.call('SET', KEYS[1], ARGV[1], 'PX', whole(lasts))
return removed
`)

/**
 * The order of invalidations, at KEYS[1]: never less than the time in microseconds, so that it goes on
 * where it was when it is lost; and never less than it has been, should the time step back. When it was
 * lost last is told by \`born\`.
 */
const tick = `${whole}
local function tick()
  local time = redis.call('TIME')
  local last = tonumber(redis.call('HGET', KEYS[1], 'seq') or 0)
  local seq = math.max(last + 1, tonumber(time[1]) * 1000000 + tonumber(time[2]))
  redis.call('HSET', KEYS[1], 'seq', whole(seq))
  if last == 0 then redis.call('HSET', KEYS[1], 'born', whole(seq)) end
  return seq
end
`

/** The next number. */
export const nowScript = script(`${tick}
return tick()
`)

/** Invalidates the tag KEYS[2], to be known for ARGV[1] milliseconds, and returns the number it got. */
export const invalidateScript = script(`${tick}
local lasts = math.max(tonumber(ARGV[1]), redis.call('PTTL', KEYS[2]))
local seq = tick()
redis.call('SET', KEYS[2], whole(seq), 'PX', whole(lasts))
return seq
`)

/** Lets the tags from KEYS[2] on be known for ARGV[1] milliseconds; those that aren't as of ARGV[2]. */
export const knowScript = script(`${tick}
local lasts = tonumber(ARGV[1])
local born = tonumber(redis.call('HGET', KEYS[1], 'born') or tick())
local seq = whole(math.max(tonumber(ARGV[2]), born))
for at = 2, #KEYS do
  if not redis.call('SET', KEYS[at], seq, 'PX', whole(lasts), 'NX') then
    if redis.call('PTTL', KEYS[at]) < lasts then redis.call('PEXPIRE', KEYS[at], whole(lasts)) end
  end
end
return 1
`)

/** Deletes KEYS[1] if it holds ARGV[1]. */
export const unlockScript = script(`
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
`)
