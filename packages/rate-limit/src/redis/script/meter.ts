/**
 * What the kinds of meters share. A kind is made only when a rule needs it, as making its functions costs
 * as much as a decision. It has:
 *
 * - `open(m)`: reads the meter `m` and brings it to now
 * - `fits(m, cost)`: milliseconds until the cost fits; `fresh(m)`: until the meter is as new
 * - `room(m)`: how much fits; may be below 0
 * - `take(m, cost, id)` and `refund(m, amount, stamp)`; `stamp(m)`: what a later refund is told
 * - where something is held `holds`, `renew`, `release` and `settle`; where tokens are leased `lease`
 * - `save(m)`: writes the meter, to expire when nothing of it matters any more
 *
 * A meter's own time begins with the clock's and then is the sum of its forward movements: the clock of
 * Redis may step back, not least when a replica takes over.
 */
export const meterLua = `
local call, pack, unpack_state = redis.call, cmsgpack.pack, cmsgpack.unpack
local floor, ceil, max, min = math.floor, math.ceil, math.max, math.min
local clock = redis.call('TIME')
local now = clock[1] * 1000 + floor(clock[2] / 1000)
local makers = {}

-- Left to themselves, Lua and Redis may write large numbers with an exponent.
local function whole(number)
  return string.format('%.0f', number)
end

local function advance(m, seen, time, blocked, ...)
  m.rewound = now < seen
  m.elapsed = max(0, now - seen)
  m.time, m.blocked = time + m.elapsed, blocked
  return ...
end

local function recall(m)
  local state = call('GET', m.key)
  if not state then return advance(m, now, now, 0) end
  return advance(m, unpack_state(state))
end

local function remember(m, lasts, ...)
  lasts = max(lasts, m.blocked - m.time)
  if lasts <= 0 then
    call('DEL', m.key)
  else
    call('SET', m.key, pack(now, m.time, m.blocked, ...), 'PX', whole(lasts))
  end
end
`
