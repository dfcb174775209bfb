import { hash } from 'node:crypto'
import { beginLua } from './begin.ts'
import { budgetLua } from './budget.ts'
import { decideLua } from './decide.ts'
import { escrowLua } from './escrow.ts'
import { fixedWindowLua } from './fixed-window.ts'
import { meterLua } from './meter.ts'
import { slidingWindowLua } from './sliding-window.ts'
import { slotsLua } from './slots.ts'
import { takeOneLua } from './take-one.ts'
import { tokenBucketLua } from './token-bucket.ts'

/** Makes what most calls can do without only when it is needed: making it costs as much as deciding. */
const othersLua = `
local function make_others()
  ${[meterLua, escrowLua, tokenBucketLua, budgetLua, slidingWindowLua, fixedWindowLua, slotsLua, decideLua].join('')}
  return answer
end
`

const answerAllLua = `
local told, cursor, answer_other = {}, 0, nil

for at, ask in ipairs(asks) do
  local single = type(ask) == 'number'
  told[at] = single and answer_one(KEYS[cursor + 1], rules[ask])
  if not told[at] then
    answer_other = answer_other or make_others()
    told[at] = answer_other(single and { 1, ask } or ask, cursor)
  end
  cursor = cursor + (single and 1 or #ask - 1)
end

return table.concat(told, ' ')
`

const source = [beginLua, takeOneLua, othersLua, answerAllLua].join('')

/** Decides asks about any subjects, in order: KEYS has a key for each request, ARGV the rest. */
export const decideScript = Object.freeze({ source, sha1: hash('sha1', source) })
