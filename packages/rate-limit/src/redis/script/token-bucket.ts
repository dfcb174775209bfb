import { MAX_DEBT } from '../../core/meters/token-bucket.ts'

/** As `TokenBucketMeter`. */
export const tokenBucketLua = `
makers['token-bucket'] = function()
  local kind = { terms = { 'perToken', 'perMs', 'units' } }

  function kind.open(m)
    local state = recall(m)
    local elapsed = advance(m)
    m.debt = math.max(0, (state[4] or 0) - elapsed * m.perMs)
    return state, elapsed
  end

  function kind.fits(m, cost)
    local excess = m.debt + cost * m.perToken - m.units
    return excess > 0 and math.ceil(excess / m.perMs) or 0
  end

  function kind.fresh(m)
    return math.ceil(m.debt / m.perMs)
  end

  function kind.room(m)
    return math.floor((m.units - m.debt) / m.perToken)
  end

  function kind.take(m, cost)
    m.debt = math.min(${MAX_DEBT}, m.debt + cost * m.perToken)
  end

  function kind.save(m)
    remember(m, kind.fresh(m), m.debt)
  end

  return kind
end
`
