/** As `FixedWindowMeter`. */
export const fixedWindowLua = `
makers['fixed-window'] = function()
  local kind = { terms = { 'windowMs' } }

  function kind.open(m)
    local state = recall(m)
    advance(m)
    m.window = math.floor(now / m.windowMs)
    m.endsIn = (m.window + 1) * m.windowMs - now
    local counted = state[4] or m.window
    m.count = m.window > counted and 0 or state[5] or 0
  end

  function kind.fits(m, cost)
    return cost > m.capacity - m.count and m.endsIn or 0
  end

  function kind.fresh(m)
    return m.count > 0 and m.endsIn or 0
  end

  function kind.room(m)
    return m.capacity - m.count
  end

  function kind.take(m, cost)
    m.count = math.min(${Number.MAX_SAFE_INTEGER}, m.count + cost)
  end

  function kind.save(m)
    remember(m, kind.fresh(m), m.window, m.count)
  end

  return kind
end
`
