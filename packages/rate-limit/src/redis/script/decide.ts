/**
 * Any ask, as `memoryStore` decides it: looks at all meters first, then carries out. `KEYS` has those of the
 * ask after `cursor`.
 */
export const decideLua = `
local kinds = {}

local verdict_form = string.rep(digits .. ' ', 4) .. digits
local lease_form = digits .. ' ' .. digits

local function meter_of(request, key)
  local number, amount, action, id, extra, want = request
  if type(request) == 'table' then number, amount, action, id, extra, want = unpack(request) end
  local rule = rules[number]
  kinds[rule.kind] = kinds[rule.kind] or makers[rule.kind]()
  local m = {
    key = key, rule = rule, kind = kinds[rule.kind], amount = amount or 1,
    action = action or 'take', id = id or '', extra = extra or 0, want = want or 0,
    time = 0, blocked = 0, elapsed = 0, rewound = false, wait = 0, stamp = -1, debt = 0,
  }
  m.kind.open(m)
  return m
end

local function holds(m, id)
  return id ~= '' and m.kind.holds and m.kind.holds(m, id)
end

local function wait_for(m, cost, id)
  if holds(m, id) then return 0 end
  return max(0, m.kind.fits(m, cost), m.blocked - m.time)
end

-- How many takes of the amount fit, one right after another.
local function times(m)
  if m.amount > m.rule.capacity or wait_for(m, m.amount, '') > 0 then return 0 end
  return m.amount == 0 and math.huge or floor(m.kind.room(m) / m.amount)
end

-- Of identical takes, charges all but the one to decide then: the last admitted or the first denied.
local function take_ahead(meters, count)
  local ahead = count - 1
  for _, m in ipairs(meters) do
    m.times = times(m)
    if not m.rule.shadow then ahead = min(ahead, m.times) end
  end
  for _, m in ipairs(meters) do
    local taken = min(ahead, m.times)
    if taken > 0 then
      m.stamp, m.changed = m.kind.stamp(m), true
      m.kind.take(m, taken * m.amount, '')
    end
  end
  return ahead
end

local function look(m)
  if m.action ~= 'take' and m.action ~= 'peek' then return true end
  m.asks = true
  m.wait = m.amount > m.rule.capacity and math.huge or wait_for(m, m.amount, m.id)
  return m.wait == 0 or m.action == 'peek' or m.rule.shadow
end

local function apply(m, admitted)
  local kind, action = m.kind, m.action
  if action == 'take' then
    if not admitted or m.wait > 0 then return false end
    if not holds(m, m.id) then m.stamp = kind.stamp(m) end
    kind.take(m, m.amount, m.id)
  elseif action == 'peek' then
    return false
  elseif action == 'penalty' then
    kind.take(m, m.amount, '')
  elseif action == 'block' then
    m.blocked = max(m.blocked, m.time + m.amount)
  elseif action == 'reset' then
    local known = call('DEL', m.key) == 1
    kind.open(m)
    return known
  elseif action == 'settle' then
    m.changed = true
    return kind.settle ~= nil and kind.settle(m, m.id, m.amount, m.extra)
  elseif action == 'refund' then
    return kind.refund ~= nil and kind.refund(m, m.amount, m.extra)
  else
    return kind[action] ~= nil and kind[action](m, m.id)
  end
  return true
end

local function carry_out(m, admitted, told)
  local applied, blocks = apply(m, admitted), m.blocked - m.time
  local wait = m.asks and m.wait or wait_for(m, 1, '')
  local room = blocks > 0 and 0 or max(0, m.kind.room(m))
  local fresh = max(0, m.kind.fresh(m), blocks)
  if wait == math.huge then wait = -1 end
  told[#told + 1] = format(verdict_form, applied and 1 or 0, room, wait, fresh, m.stamp)
  if m.want > 0 then
    local amount, lasts = 0, 0
    if admitted and blocks <= 0 and m.rule.lease then amount, lasts = m.kind.lease(m, m.want) end
    told[#told + 1] = format(lease_form, amount, amount > 0 and lasts or 0)
    applied = applied or amount > 0
  end
  if applied or m.changed or m.rewound then m.kind.save(m) end
end

local function answer(ask, cursor)
  local count, meters, admitted = ask[1], {}, true
  for at = 2, #ask do
    meters[at - 1] = meter_of(ask[at], KEYS[cursor + at - 1])
  end
  local ahead = count > 1 and take_ahead(meters, count) or 0
  for _, m in ipairs(meters) do
    admitted = look(m) and admitted
  end
  local told = { whole(ahead + (admitted and 1 or 0)) }
  for _, m in ipairs(meters) do
    carry_out(m, admitted, told)
  end
  return table.concat(told, ' ')
end
`
