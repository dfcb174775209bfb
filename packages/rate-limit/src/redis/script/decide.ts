/**
 * As `memoryStore`: looks at all meters first, then carries out. Answers five texts for each request:
 * whether it is allowed, whether it was applied, what remains, the wait (or `never`) and the time until
 * it is as new.
 */
export const decideLua = `
local kinds, cursor = {}, 0

local function argument()
  cursor = cursor + 1
  return ARGV[cursor]
end

local function read_request(key)
  local m = { key = key, action = argument(), amount = tonumber(argument()), id = argument() }
  m.estimate, m.shadow = tonumber(argument()), argument() == '1'
  local name = argument()
  kinds[name] = kinds[name] or makers[name]()
  m.kind, m.capacity = kinds[name], tonumber(argument())
  for _, term in ipairs(m.kind.terms) do
    m[term] = tonumber(argument())
  end
  m.asks = m.action == 'take' or m.action == 'peek'
  return m
end

local function wait_for(m, cost, id)
  if id ~= '' and m.kind.holds and m.kind.holds(m, id) then return 0 end
  return math.max(0, m.kind.fits(m, cost), m.blocked - m.time)
end

local function look(m)
  m.kind.open(m)
  m.wait = 0
  if not m.asks then return end
  m.wait = m.amount > m.capacity and math.huge or wait_for(m, m.amount, m.id)
end

local function apply(m, admitted)
  local kind, action = m.kind, m.action
  if action == 'take' then
    if not admitted or m.wait > 0 then return false end
    kind.take(m, m.amount, m.id)
  elseif action == 'penalty' then
    kind.take(m, m.amount, '')
  elseif action == 'block' then
    m.blocked = math.max(m.blocked, m.time + m.amount)
  elseif action == 'reset' then
    local known = redis.call('DEL', m.key) == 1
    kind.open(m)
    return known
  elseif action == 'settle' then
    m.changed = true
    return kind.settle ~= nil and kind.settle(m, m.id, m.amount, m.estimate)
  else
    return kind[action] ~= nil and kind[action](m, m.id)
  end
  return true
end

local requests, admitted, reply = {}, true, {}

local function tell(value)
  reply[#reply + 1] = value
end

for at, key in ipairs(KEYS) do
  local m = read_request(key)
  look(m)
  requests[at] = m
  if m.action == 'take' and not m.shadow and m.wait > 0 then admitted = false end
end

for _, m in ipairs(requests) do
  local applied = apply(m, admitted)
  if applied or m.changed or m.rewound then m.kind.save(m) end
  local blocked = m.blocked - m.time
  local wait = m.asks and m.wait or wait_for(m, 1, '')
  tell(wait == 0 and '1' or '0')
  tell(applied and '1' or '0')
  tell(whole(blocked > 0 and 0 or math.max(0, m.kind.room(m))))
  tell(wait == math.huge and 'never' or whole(wait))
  tell(whole(math.max(0, m.kind.fresh(m), blocked)))
end

return reply
`
