import { hash } from 'node:crypto'
import { MAX_ENDED } from './session-store.ts'

/**
 * One user's sessions in one hash, by handle: `open` or `ended`, and when it was opened, seen or ended
 * last, and lapses; then the client. A session that is renewed costs one look and one write, whatever
 * else the user has; only what is new looks at all.
 */
const source = `
local key, action, handle = KEYS[1], ARGV[1], ARGV[2]
local ttl, limit, client = tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)

local function whole(number)
  return string.format('%.0f', number)
end

local function read(name, text)
  local state, created, seen, expires, of = string.match(text or '', '^(%l+):(%d+):(%d+):(%d+):(.*)$')
  if not state or tonumber(expires) <= now then return nil end
  return {
    handle = name, state = state, created = tonumber(created), seen = tonumber(seen),
    expires = tonumber(expires), client = of,
  }
end

local function write(s)
  local times = whole(s.created) .. ':' .. whole(s.seen) .. ':' .. whole(s.expires)
  redis.call('HSET', key, s.handle, s.state .. ':' .. times .. ':' .. s.client)
  local lasts = s.expires - now
  if redis.call('PTTL', key) < lasts then redis.call('PEXPIRE', key, whole(lasts)) end
end

local function all()
  local open, ended, lapsed = {}, {}, {}
  local fields = redis.call('HGETALL', key)
  for at = 1, #fields, 2 do
    local s = read(fields[at], fields[at + 1])
    local list = s and (s.state == 'open' and open or ended) or lapsed
    list[#list + 1] = s or fields[at]
  end
  return open, ended, lapsed
end

local function until_fewer(list, most)
  if #list < most then return 0 end
  table.sort(list, function(one, two) return one.expires < two.expires end)
  return list[#list - most + 1].expires - now
end

local function tell(list)
  local reply = {}
  for _, s in ipairs(list) do
    for _, value in ipairs({ s.handle, whole(s.created), whole(s.seen), whole(s.expires), s.client }) do
      reply[#reply + 1] = value
    end
  end
  return reply
end

local function finish(list)
  local reply = tell(list)
  for _, s in ipairs(list) do
    s.state, s.seen, s.expires = 'ended', now, now + ttl
    write(s)
  end
  return reply
end

if action == 'list' then
  return tell((all()))
end

if action == 'end' and handle == '' then
  return finish((all()))
end

local known = read(handle, redis.call('HGET', key, handle))

if action == 'end' then
  return finish(known and known.state == 'open' and { known } or {})
end

if known and known.state ~= 'open' then
  return { 'ended', whole(known.seen) }
end

local found = known ~= nil
if not found then
  local open, ended, lapsed = all()
  for _, name in ipairs(lapsed) do
    redis.call('HDEL', key, name)
  end
  local wait = math.max(until_fewer(open, limit), until_fewer(ended, ${MAX_ENDED}))
  if wait > 0 then return { 'limit', whole(#open), whole(wait) } end
  known = { handle = handle, state = 'open', created = now, seen = now, client = '' }
end
known.seen = math.max(now, known.seen)
known.expires = known.seen + ttl
if client ~= '' then known.client = client end
write(known)
return { found and 'renewed' or 'opened', unpack(tell({ known })) }
`

/** Asks about one user: KEYS has its one key; ARGV the action, the handle, the ttl, the limit, the client. */
export const sessionScript = Object.freeze({ source, sha1: hash('sha1', source) })
