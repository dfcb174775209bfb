import { MAX_DEBT } from '../../core/meters/token-bucket.ts'

/**
 * As `TokenBucketMeter`, and with leases: what is leased is owed at once. While strict leases are out the
 * bucket refills only to `burst` less what they hold, so that what is in Redis and what is out are never
 * more than the burst together. That floor of the debt falls at the ends of epochs, and a pause is drained
 * piece by piece: in one go, it would be credited with time in which the floor held it up.
 */
export const tokenBucketLua = `
makers['token-bucket'] = function()
  local kind = {}

  local function least(m)
    local e = m.escrow
    return e and e.strict and (e.older + e.newer) * m.rule.perToken or 0
  end

  -- Where the debt's floor changes: until when each piece lasts, and the floor in it.
  local function pieces(m)
    local e = m.escrow
    return {
      { e.ends, least(m) },
      { e.ends + e.epochMs, e.newer * m.rule.perToken },
      { math.huge, 0 },
    }
  end

  -- Milliseconds from now until the debt is no more than the target.
  local function falls_to(m, target)
    local debt, at, perMs = m.debt, m.time, m.rule.perMs
    if debt <= target then return 0 end
    if least(m) == 0 then return ceil((debt - target) / perMs) end
    for _, piece in ipairs(pieces(m)) do
      local ends, least = piece[1], piece[2]
      local needs = ceil((debt - target) / perMs)
      if least <= target and at + needs <= ends then return at + needs - m.time end
      debt, at = max(least, debt - (ends - at) * perMs), ends
    end
  end

  function kind.drain(m, debt)
    local at, perMs = m.time - m.elapsed, m.rule.perMs
    if least(m) == 0 then
      debt = max(0, debt - m.elapsed * perMs)
    else
      for _, piece in ipairs(pieces(m)) do
        local ends = min(piece[1], m.time)
        if ends > at then debt, at = max(piece[2], debt - (ends - at) * perMs), ends end
      end
    end
    m.debt = debt
    escrow_roll(m)
  end

  function kind.open(m)
    local debt, epochMs, strict, ends, older, newer = recall(m)
    m.escrow = escrow_of(epochMs, strict, ends, older, newer)
    kind.drain(m, debt or 0)
  end

  function kind.fits(m, cost)
    return falls_to(m, m.rule.units - cost * m.rule.perToken)
  end

  function kind.fresh(m)
    return max(falls_to(m, 0), escrow_lapses(m))
  end

  function kind.room(m)
    return floor((m.rule.units - m.debt) / m.rule.perToken)
  end

  function kind.take(m, cost)
    m.debt = min(${MAX_DEBT}, m.debt + cost * m.rule.perToken)
  end

  function kind.stamp(m)
    return m.time
  end

  function kind.refund(m, amount, stamp)
    local since = m.time - stamp
    if stamp < 0 or since < 0 then return false end
    local units = max(0, amount * m.rule.perToken - since * m.rule.perMs)
    local given = max(0, min(m.debt - least(m), units))
    m.debt = m.debt - given
    return given > 0
  end

  function kind.lease(m, want)
    local amount = escrow_grant(m, want, kind.room(m))
    kind.take(m, amount)
    return amount, m.rule.lease.epochMs
  end

  function kind.save(m)
    remember(m, kind.fresh(m), m.debt, escrow_state(m))
  end

  return kind
end
`
