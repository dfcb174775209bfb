import { hash } from 'node:crypto'
import type { EventsScript } from './port.ts'

/*
 * Of a name there are three keys, in one slot. N, which is the name's: whose recording it stands for
 * (`token`), `fp`, `state`. R, which is the recording's: its `owner`, `state`, and the processes that follow
 * it, as `f:<process>` with the time until when that counts. L: the stream of what was recorded, whose ids
 * count its entries. R and what N says of it expire unless the recorder renews them: that is its lease.
 */

const begin = `
local function now()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
local function followers(key)
  local alive, at = {}, now()
  local fields = redis.call('HGETALL', key)
  for i = 1, #fields, 2 do
    if string.sub(fields[i], 1, 2) == 'f:' and tonumber(fields[i + 1]) > at then
      alive[#alive + 1] = string.sub(fields[i], 3)
    end
  end
  return alive
end
`

function scriptOf(body: string): EventsScript {
  const source = begin + body
  return { source, sha1: hash('sha1', source) }
}

/**
 * N, R; token, fingerprint, lease, owner, whether it is held under its name when it grows too large, whether
 * the asker has a complete one of the name, which then isn't begun anew unless it was forgotten. May be sent
 * again.
 */
export const claimScript = scriptOf(`
local known = redis.call('HMGET', KEYS[1], 'token', 'fp', 'state', 'hold')
if known[1] == ARGV[1] then return { 'recorder', ARGV[1] } end
if known[1] then
  if known[2] ~= ARGV[2] then return { 'mismatch' } end
  if known[3] ~= 'too_large' then return { 'reader', known[1] } end
  if known[4] == '1' then return { 'too_large' } end
end
if ARGV[6] == '1' and known[3] ~= 'forgotten' then return { 'held' } end
-- First what a Redis that is full refuses: it would not take the bytes either.
redis.call('HSET', KEYS[2], 'owner', ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
redis.call('HSET', KEYS[1], 'token', ARGV[1], 'fp', ARGV[2], 'hold', ARGV[5])
redis.call('HDEL', KEYS[1], 'state')
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return { 'recorder', ARGV[1] }
`)

/** N. What was forgotten is told from what was lost, for as long as it would have been there. */
export const forgetScript = scriptOf(`
local left = redis.call('PTTL', KEYS[1])
if left < 1 then return 0 end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'state', 'forgotten')
redis.call('PEXPIRE', KEYS[1], left)
return 1
`)

/** R; follower, how long it counts, token, channels. Says whether the recording is open, complete, or gone. */
export const followScript = scriptOf(`
if redis.call('EXISTS', KEYS[1]) == 0 then return 'gone' end
local state = redis.call('HGET', KEYS[1], 'state')
if state then return state end
-- A Redis that is full for the moment lets a script go on that has freed something first.
redis.call('HDEL', KEYS[1], 'f:' .. ARGV[1])
redis.call('HSET', KEYS[1], 'f:' .. ARGV[1], string.format('%.0f', now() + tonumber(ARGV[2])))
local owner = redis.call('HGET', KEYS[1], 'owner')
if owner then redis.call('PUBLISH', ARGV[4] .. owner, ARGV[3]) end
return 'open'
`)

/** R; follower, token, channels. */
export const leaveScript = scriptOf(`
redis.call('HDEL', KEYS[1], 'f:' .. ARGV[1])
local owner = redis.call('HGET', KEYS[1], 'owner')
if owner then redis.call('PUBLISH', ARGV[3] .. owner, ARGV[2]) end
return 1
`)

/** N, R, L; token, whether followers don't matter. Forgets the recording, unless it is followed; says which. */
export const abandonScript = scriptOf(`
if ARGV[2] ~= '1' and #followers(KEYS[2]) > 0 then return 0 end
if redis.call('HGET', KEYS[1], 'token') == ARGV[1] then redis.call('DEL', KEYS[1]) end
redis.call('DEL', KEYS[2], KEYS[3])
return 1
`)

/**
 * N, R, L; token, lease, channels, number of the first entry, then what becomes of the recording (`open`,
 * `complete`, `failed`, `too_large`, then `large`, and `let_go` when that has ended), how long it is kept,
 * whether its name is held, how long followers may still read what is over, whether it is to end without
 * its bytes, and kinds and data of entries. Says 0 when the lease is lost, 1 when it was done, 2 when it was
 * done and the name is no longer its own, and 3 when nothing was done, as somebody follows it who wants the
 * bytes; and then how many follow it. May be sent again: entries are added once.
 */
export const writeScript = scriptOf(`
local own = redis.call('HGET', KEYS[1], 'token') == ARGV[1]
local state, keep, linger = ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[8])
local small = state ~= 'too_large' and state ~= 'large' and state ~= 'let_go'
if not own then keep = 0 end
local cut = small and ARGV[4] ~= '1' and redis.call('EXISTS', KEYS[3]) == 0
if cut or redis.call('EXISTS', KEYS[2]) == 0 then
  if own then redis.call('DEL', KEYS[1]) end
  redis.call('DEL', KEYS[2])
  return { 0, 0 }
end
local alive = followers(KEYS[2])
if ARGV[9] == '1' and (state == 'complete' or state == 'failed') and #alive > 0 then
  return { 3, #alive }
end
if state == 'too_large' then redis.call('DEL', KEYS[3]) end
for i = 10, #ARGV, 2 do
  local id = string.format('%.0f-0', tonumber(ARGV[4]) + (i - 10) / 2)
  local added = redis.pcall('XADD', KEYS[3], id, 't', ARGV[i], 'd', ARGV[i + 1])
  if type(added) == 'table' and added.err and not string.find(added.err, 'equal or smaller') then
    return redis.error_reply(added.err)
  end
end
local function expire(key, ms)
  if ms > 0 then redis.call('PEXPIRE', key, ms) else redis.call('DEL', key) end
end
local lease = tonumber(ARGV[2])
local name, recording, log = lease, lease, lease
if state == 'failed' or (state == 'complete' and ARGV[9] == '1') then
  name, recording, log = 0, 0, linger
elseif state == 'complete' then
  redis.call('HSET', KEYS[2], 'state', state)
  name, recording, log = keep, keep + linger, keep + linger
elseif state == 'too_large' then
  log = linger
  if ARGV[7] == '1' then
    if own then redis.call('HSET', KEYS[1], 'state', state) end
  else
    name, recording = 0, 0
  end
elseif state == 'let_go' then
  name, recording, log = keep, 0, linger
end
if own then expire(KEYS[1], name) end
expire(KEYS[2], recording)
if redis.call('EXISTS', KEYS[3]) == 1 then expire(KEYS[3], log) end
if #ARGV > 9 then
  for _, follower in ipairs(alive) do redis.call('PUBLISH', ARGV[3] .. follower, ARGV[1]) end
end
return { own and 1 or 2, #alive }
`)
