import { hash } from 'node:crypto'
import { clockLua, writing } from './begin.ts'

/** One kind of meter: what a take of 1 is told of the rule, and how it decides. */
interface TakeOne {
  readonly terms: readonly string[]
  readonly lua: string
}

const bucket: TakeOne = {
  terms: ['perToken', 'perMs', 'units'],
  lua: taking(
    'debt',
    `
  local elapsed = max(0, now - seen)
  time, debt = time + elapsed, max(0, (debt or 0) - elapsed * perMs)
  local wait = max(0, ceil((debt + perToken - units) / perMs), blocked - time)
  if wait == 0 then debt = debt + perToken end
  local fresh, room, stamp = ceil(debt / perMs), (units - debt) / perToken, time
`,
  ),
}

const fixedWindow: TakeOne = {
  terms: ['windowMs', 'capacity'],
  lua: taking(
    'window, count',
    `
  time = time + max(0, now - seen)
  local current = floor(now / windowMs)
  local ends = (current + 1) * windowMs - now
  if current > (window or current) then count = 0 end
  window, count = current, count or 0
  local wait = max(0, count >= capacity and ends or 0, blocked - time)
  if wait == 0 then count = count + 1 end
  local fresh, room, stamp = count > 0 and ends or 0, capacity - count, window
`,
  ),
}

/** Reads what is kept, decides, writes it, and answers; nothing where it has to be left to others. */
function taking(state: string, decide: string): string {
  return `
  local seen, time, blocked, ${state}, leased = now, now, 0
  local known = call('GET', key)
  if known then seen, time, blocked, ${state}, leased = unpack_state(known) end
  if leased then return end
  ${decide}
  if wait == 0 or now < seen then
    local lasts = fresh
    ${writing(state)}
  end
  room = blocked > time and 0 or max(0, floor(room))
  if wait == 0 then return format(admitted_form, room, fresh, stamp) end
  return format(denied_form, room, wait, max(fresh, blocked - time))
`
}

function functionOf({ terms, lua }: TakeOne): string {
  const named = terms.map((term) => `rule.${term}`)
  return `function(key, rule)\n  local ${terms.join()} = ${named.join()}\n${lua}end\n`
}

/**
 * Takes of 1 from one bucket or fixed window, which most asks are, without anything that only others need:
 * the same decision as by the kinds' own functions, in less than half the time. What it leaves to them:
 * asks of another form, shadows, and meters of which tokens are leased.
 */
export const takeOneLua = `
local admitted_form = '1 1 ' .. digits .. ' 0 ' .. digits .. ' ' .. digits
local denied_form = '0 0 ' .. digits .. ' ' .. digits .. ' ' .. digits .. ' -1'

local take_one = {}
take_one['token-bucket'] = ${functionOf(bucket)}
take_one['fixed-window'] = ${functionOf(fixedWindow)}

-- The answer to an ask of this form; nothing is left to others.
local function answer_one(key, rule)
  local take = rule and not rule.shadow and take_one[rule.kind]
  return take and take(key, rule)
end
`

/**
 * The same, as a script for one take alone: KEYS has its key, ARGV the terms. It answers as the script for
 * many does, or nothing where it decides nothing. Without functions and JSON it takes two thirds of the time.
 */
function scriptOf({ terms, lua }: TakeOne) {
  const given = terms.map((_, at) => `tonumber(ARGV[${at + 1}])`)
  const source = `${clockLua}
local admitted_form, denied_form = '1 1 %.0f 0 %.0f %.0f', '0 0 %.0f %.0f %.0f -1'
local key, ${terms.join()} = KEYS[1], ${given.join()}
${lua}`
  return Object.freeze({ source, sha1: hash('sha1', source) })
}

/** ARGV: the units of a token and of a millisecond, and the units of the burst. */
export const takeFromBucketScript = scriptOf(bucket)

/** ARGV: the milliseconds of a window, and how many it takes. */
export const takeFromWindowScript = scriptOf(fixedWindow)
