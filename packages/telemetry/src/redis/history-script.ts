import { hash } from 'node:crypto'
import type { TelemetryScript } from './port.ts'

/**
 * Folds runs of cells into what is kept, unless the batch of that sequence was here before: KEYS are the sequence of
 * the instance, the instances, the names, then the runs' keys; ARGV their arguments, as `redis-history-store.ts`
 * gives them. Cells are two little-endian doubles: value and weight.
 */
const addSource = `
if tonumber(ARGV[2]) <= tonumber(redis.call('GET', KEYS[1]) or '0') then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[4] .. ' ' .. ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
if redis.call('HLEN', KEYS[2]) > 32 then
  for _, told in ipairs(redis.call('HVALS', KEYS[2])) do
    local till, instance = string.match(told, '^(%d+) (.*)$')
    if till and tonumber(till) < tonumber(ARGV[5]) then redis.call('HDEL', KEYS[2], instance) end
  end
end
local at = 7
for name = 1, tonumber(ARGV[6]) do
  redis.call('SADD', KEYS[3], ARGV[at])
  at = at + 1
end
redis.call('PEXPIRE', KEYS[3], ARGV[3])
for run = 4, #KEYS do
  local key, fold, offset, ttl, cells = KEYS[run], ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  at = at + 4
  local kept = redis.call('GETRANGE', key, offset, offset + #cells - 1)
  kept = kept .. string.rep('\\0', #cells - #kept)
  local out = {}
  for i = 1, #cells, 16 do
    local value, weight = struct.unpack('<dd', cells, i)
    local before, had = struct.unpack('<dd', kept, i)
    if had > 0 and weight > 0 then
      if fold == 'max' then value = math.max(value, before)
      elseif fold == 'min' then value = math.min(value, before)
      else value = value + before end
      weight = weight + had
    elseif had > 0 then value, weight = before, had end
    out[#out + 1] = struct.pack('<dd', value, weight)
  end
  redis.call('SETRANGE', key, offset, table.concat(out))
  redis.call('PEXPIRE', key, ttl)
end
return 1`

export const addScript: TelemetryScript = { source: addSource, sha1: hash('sha1', addSource) }

const leaveSource = `return redis.call('HDEL', KEYS[1], ARGV[1])`

export const leaveScript: TelemetryScript = {
  source: leaveSource,
  sha1: hash('sha1', leaveSource),
}
