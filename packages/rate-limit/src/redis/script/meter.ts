/**
 * What the kinds of meters share. A kind is made only when it is asked for. It has:
 *
 * - `terms`: the names of its rule's numbers, in the order of the arguments
 * - `open(m)`: reads the meter `m` and brings it to now
 * - `fits(m, cost)`: milliseconds until the cost fits; `fresh(m)`: until the meter is as new
 * - `room(m)`: how much fits; may be below 0
 * - `take(m, cost, id)`, and where something is held `holds`, `renew`, `release` and `settle`
 * - `save(m)`: writes the meter, to expire when nothing of it matters any more
 *
 * A meter's own time is the sum of the clock's forward movements: the clock of Redis may step back, not
 * least when a replica takes over.
 */
export const meterLua = `
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local makers = {}

-- Left to themselves, Lua and Redis may write large numbers with an exponent.
local function whole(number)
  return string.format('%.0f', number)
end

local function advance(m)
  local elapsed = math.max(0, now - m.seen)
  m.rewound = now < m.seen
  m.seen = now
  m.time = m.time + elapsed
  return elapsed
end

local function recall(m)
  local text = redis.call('GET', m.key)
  local state = text and cmsgpack.unpack(text) or { now, 0, 0 }
  m.seen, m.time, m.blocked = state[1], state[2], state[3]
  return state
end

local function remember(m, lasts, ...)
  lasts = math.max(lasts, m.blocked - m.time)
  if lasts <= 0 then
    redis.call('DEL', m.key)
  else
    local state = cmsgpack.pack({ m.seen, m.time, m.blocked, ... })
    redis.call('SET', m.key, state, 'PX', whole(lasts))
  end
end
`
