/** As `FixedWindowMeter`, and with leases: what is leased counts at once, and lapses with its window. */
export const fixedWindowLua = `
makers['fixed-window'] = function()
  local kind = {}

  function kind.open(m)
    local counted, count, epochMs, strict, ends, older, newer = recall(m)
    local windowMs = m.rule.windowMs
    m.window = floor(now / windowMs)
    m.endsIn = (m.window + 1) * windowMs - now
    if m.window > (counted or m.window) then
      m.count, m.escrow = 0, nil
    else
      m.count, m.escrow = count or 0, escrow_of(epochMs, strict, ends, older, newer)
      escrow_roll(m)
    end
  end

  function kind.fits(m, cost)
    return cost > m.rule.capacity - m.count and m.endsIn or 0
  end

  function kind.fresh(m)
    return m.count > 0 and m.endsIn or 0
  end

  function kind.room(m)
    return m.rule.capacity - m.count
  end

  function kind.take(m, cost)
    m.count = min(${Number.MAX_SAFE_INTEGER}, m.count + cost)
  end

  function kind.stamp(m)
    return m.window
  end

  function kind.refund(m, amount, stamp)
    if stamp ~= m.window then return false end
    local given = min(amount, m.count)
    m.count = m.count - given
    return given > 0
  end

  function kind.lease(m, want)
    local amount = escrow_grant(m, want, kind.room(m))
    kind.take(m, amount)
    return amount, min(m.rule.lease.epochMs, m.endsIn)
  end

  function kind.save(m)
    remember(m, kind.fresh(m), m.window, m.count, escrow_state(m))
  end

  return kind
end
`
