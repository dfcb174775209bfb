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
 */
export const meterLua = `
local makers = {}

local function advance(m, seen, time, blocked, ...)
  m.rewound = now < seen
  m.elapsed = max(0, now - seen)
  m.time, m.blocked = time + m.elapsed, blocked
  return ...
end

local function recall(m)
  return advance(m, read(m.key))
end

local function remember(m, lasts, ...)
  write(m.key, m.time, m.blocked, lasts, ...)
end
`
