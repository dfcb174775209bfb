/** As `SlidingWindowMeter`; a group is `{ at, count }`, the oldest first. */
export const slidingWindowLua = `
makers['sliding-window'] = function()
  local kind = { terms = { 'windowMs', 'groupMs' } }

  function kind.open(m)
    local state = recall(m)
    advance(m)
    m.groups, m.count = {}, 0
    for _, group in ipairs(state[4] or {}) do
      if m.time - group[1] < m.windowMs then
        table.insert(m.groups, group)
        m.count = m.count + group[2]
      end
    end
  end

  function kind.fits(m, cost)
    local excess = m.count + cost - m.capacity
    if excess <= 0 then return 0 end
    for _, group in ipairs(m.groups) do
      excess = excess - group[2]
      if excess <= 0 then return group[1] + m.windowMs - m.time end
    end
    return 0
  end

  function kind.fresh(m)
    local last = m.groups[#m.groups]
    return last and last[1] + m.windowMs - m.time or 0
  end

  function kind.room(m)
    return m.capacity - m.count
  end

  function kind.take(m, cost)
    if cost == 0 then return end
    local last = m.groups[#m.groups]
    if last and math.floor(last[1] / m.groupMs) == math.floor(m.time / m.groupMs) then
      last[1], last[2] = m.time, last[2] + cost
    else
      table.insert(m.groups, { m.time, cost })
    end
    m.count = m.count + cost
  end

  function kind.save(m)
    remember(m, kind.fresh(m), m.groups)
  end

  return kind
end
`
