/**
 * As `SlotsMeter`. Slots are many and change one at a time, so they are a sorted set: `slot:<id>` by the
 * meter's time at which it lapses, always above 0. What else is to be known has scores of 0 and below:
 * `cost:<id>` where it isn't 1, and `seen`, `time`, `blocked` and `held`.
 */
export const slotsLua = `
makers['concurrency'] = function()
  local kind = {}

  local function score(m, member)
    return tonumber(call('ZSCORE', m.key, member))
  end

  local function cost_of(m, id)
    return -(score(m, 'cost:' .. id) or -1)
  end

  local function drop(m, id)
    local cost = cost_of(m, id)
    if call('ZREM', m.key, 'slot:' .. id) == 0 then return false end
    call('ZREM', m.key, 'cost:' .. id)
    m.held = m.held - cost
    return true
  end

  local function put(m, id)
    call('ZADD', m.key, whole(m.time + m.rule.ttlMs), 'slot:' .. id)
  end

  function kind.open(m)
    local seen, time = score(m, 'seen') or -now, score(m, 'time') or -now
    advance(m, -seen, -time, -(score(m, 'blocked') or 0))
    m.held = -(score(m, 'held') or 0)
    local lapsed = call('ZRANGEBYSCORE', m.key, '(0', whole(m.time))
    for _, member in ipairs(lapsed) do
      drop(m, string.sub(member, 6))
    end
    m.changed = #lapsed > 0
  end

  function kind.holds(m, id)
    return score(m, 'slot:' .. id) ~= nil
  end

  function kind.fits(m, cost)
    local excess = m.held + cost - m.rule.capacity
    if excess <= 0 then return 0 end
    local from = 0
    repeat
      local page = { '(0', '+inf', 'WITHSCORES', 'LIMIT', whole(from), '100' }
      local slots = call('ZRANGEBYSCORE', m.key, unpack(page))
      for at = 1, #slots, 2 do
        excess = excess - cost_of(m, string.sub(slots[at], 6))
        if excess <= 0 then return tonumber(slots[at + 1]) - m.time end
      end
      from = from + 100
    until #slots == 0
    return 0
  end

  function kind.fresh(m)
    local range = { '+inf', '(0', 'WITHSCORES', 'LIMIT', '0', '1' }
    local last = call('ZREVRANGEBYSCORE', m.key, unpack(range))
    return last[2] and tonumber(last[2]) - m.time or 0
  end

  function kind.room(m)
    return m.rule.capacity - m.held
  end

  function kind.take(m, cost, id)
    if not kind.holds(m, id) then
      m.held = m.held + cost
      if cost ~= 1 then call('ZADD', m.key, whole(-cost), 'cost:' .. id) end
    end
    put(m, id)
  end

  function kind.stamp(m)
    return m.time
  end

  function kind.renew(m, id)
    if not kind.holds(m, id) then return false end
    put(m, id)
    return true
  end

  kind.release = drop

  function kind.save(m)
    local lasts = max(kind.fresh(m), m.blocked - m.time)
    if lasts <= 0 then
      call('DEL', m.key)
      return
    end
    local function note(value, name)
      call('ZADD', m.key, whole(-value), name)
    end
    note(now, 'seen')
    note(m.time, 'time')
    note(m.blocked, 'blocked')
    note(m.held, 'held')
    call('PEXPIRE', m.key, whole(lasts))
  end

  return kind
end
`
