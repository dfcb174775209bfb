import { MAX_RESERVATIONS } from '../../core/meters/budget.ts'

/** As `BudgetMeter`; a reservation is `{ id, cost, expiresAt, later }`, the oldest first. */
export const budgetLua = `
makers['budget'] = function()
  local kind = makers['token-bucket']()
  local take, refund = kind.take, kind.refund

  local function find(m, id)
    for at, reservation in ipairs(m.reservations) do
      if reservation[1] == id then return at, reservation end
    end
  end

  local function give_back(m, at, amount)
    local units = amount * m.rule.perToken
    local later = m.reservations[at][4]
    m.debt = max(later, m.debt - units)
    for before = 1, at - 1 do
      local earlier = m.reservations[before]
      earlier[4] = max(later, earlier[4] - units)
    end
  end

  function kind.open(m)
    local debt, reservations = recall(m)
    kind.drain(m, debt or 0)
    m.reservations = {}
    for _, reservation in ipairs(reservations or {}) do
      if reservation[3] > m.time then
        reservation[4] = max(0, reservation[4] - m.elapsed * m.rule.perMs)
        table.insert(m.reservations, reservation)
      end
    end
  end

  function kind.holds(m, id)
    return find(m, id) ~= nil
  end

  function kind.renew(m, id)
    local at, reservation = find(m, id)
    if at then reservation[3] = m.time + m.rule.ttlMs end
    return at ~= nil
  end

  function kind.release(m, id)
    local at = find(m, id)
    if at then table.remove(m.reservations, at) end
    return at ~= nil
  end

  function kind.take(m, cost, id)
    if id ~= '' and kind.renew(m, id) then return end
    take(m, cost)
    for _, other in ipairs(m.reservations) do
      other[4] = other[4] + cost * m.rule.perToken
    end
    if id == '' then return end
    if #m.reservations >= ${MAX_RESERVATIONS} then table.remove(m.reservations, 1) end
    table.insert(m.reservations, { id, cost, m.time + m.rule.ttlMs, 0 })
  end

  function kind.refund(m, amount, stamp)
    local given = refund(m, amount, stamp)
    for _, other in ipairs(m.reservations) do
      other[4] = min(other[4], m.debt)
    end
    return given
  end

  function kind.settle(m, id, actual, estimate)
    local at, reservation = find(m, id)
    local excess = actual - (at and reservation[2] or estimate)
    if at then
      if excess < 0 then give_back(m, at, -excess) end
      table.remove(m.reservations, at)
    end
    if excess > 0 then kind.take(m, excess, '') end
    return at ~= nil
  end

  -- A reservation outlives the debt: whoever holds it is still to be recognised.
  function kind.save(m)
    local lasts = kind.fresh(m)
    for _, reservation in ipairs(m.reservations) do
      lasts = max(lasts, reservation[3] - m.time)
    end
    remember(m, lasts, m.debt, m.reservations)
  end

  return kind
end
`
