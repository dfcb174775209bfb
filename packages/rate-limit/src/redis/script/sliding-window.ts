/** As `SlidingWindowMeter`; its groups are one flat list: when, how many, when, how many; the oldest first. */
export const slidingWindowLua = `
makers['sliding-window'] = function()
  local kind = {}

  local function group_of(m, at)
    return floor(at / m.rule.groupMs)
  end

  function kind.open(m)
    local groups, first, count = recall(m) or {}, 1, 0
    while groups[first] and m.time - groups[first] >= m.rule.windowMs do
      first = first + 2
    end
    for i = first, #groups, 2 do
      count = count + groups[i + 1]
    end
    m.groups, m.count = first == 1 and groups or { unpack(groups, first) }, count
  end

  function kind.fits(m, cost)
    local excess = m.count + cost - m.rule.capacity
    if excess <= 0 then return 0 end
    for i = 1, #m.groups, 2 do
      excess = excess - m.groups[i + 1]
      if excess <= 0 then return m.groups[i] + m.rule.windowMs - m.time end
    end
    return 0
  end

  function kind.fresh(m)
    local last = m.groups[#m.groups - 1]
    return last and last + m.rule.windowMs - m.time or 0
  end

  function kind.room(m)
    return m.rule.capacity - m.count
  end

  function kind.take(m, cost)
    if cost == 0 then return end
    local groups, size = m.groups, #m.groups
    if size > 0 and group_of(m, groups[size - 1]) == group_of(m, m.time) then
      groups[size - 1], groups[size] = m.time, groups[size] + cost
    else
      groups[size + 1], groups[size + 2] = m.time, cost
    end
    m.count = m.count + cost
  end

  function kind.stamp(m)
    return m.time
  end

  function kind.refund(m, amount, stamp)
    for i = 1, #m.groups, 2 do
      if group_of(m, m.groups[i]) == group_of(m, stamp) then
        local back = min(amount, m.groups[i + 1])
        m.groups[i + 1], m.count = m.groups[i + 1] - back, m.count - back
        if m.groups[i + 1] == 0 then
          table.remove(m.groups, i + 1)
          table.remove(m.groups, i)
        end
        return back > 0
      end
    end
    return false
  end

  function kind.save(m)
    remember(m, kind.fresh(m), m.groups)
  end

  return kind
end
`
