/**
 * The tokens of a meter that processes hold as leases, until these have certainly lapsed.
 *
 * A lease lives for `epochMs` at most, counted by its holder from before Redis granted it. Grants are
 * counted by epochs of that length: those of one are kept until the end of the next, so that never too few
 * are counted. Of a meter only one kind of leases is out at a time; with other terms (a changed rule, a
 * second precision) none is granted until these have lapsed.
 */
export const escrowLua = `
local function escrow_of(epochMs, strict, ends, older, newer)
  return epochMs and { epochMs = epochMs, strict = strict, ends = ends, older = older, newer = newer }
end

local function escrow_roll(m)
  local e = m.escrow
  if not e or m.time < e.ends then return end
  if m.time >= e.ends + e.epochMs or e.newer == 0 then
    m.escrow = nil
  else
    e.ends, e.older, e.newer = e.ends + e.epochMs, e.newer, 0
  end
end

local function escrow_grant(m, want, room)
  local terms, e = m.rule.lease, m.escrow
  if e and (e.epochMs ~= terms.epochMs or e.strict ~= terms.strict) then return 0 end
  local out = e and e.older + e.newer or 0
  local amount = min(want, floor(room / 2), terms.escrow - out)
  if amount <= 0 then return 0 end
  m.escrow = e or escrow_of(terms.epochMs, terms.strict, m.time + terms.epochMs, 0, 0)
  m.escrow.newer = m.escrow.newer + amount
  return amount
end

-- Milliseconds until no lease is out any more.
local function escrow_lapses(m)
  local e = m.escrow
  return e and e.ends + (e.newer > 0 and e.epochMs or 0) - m.time or 0
end

local function escrow_state(m)
  local e = m.escrow
  if e then return e.epochMs, e.strict, e.ends, e.older, e.newer end
end
`
