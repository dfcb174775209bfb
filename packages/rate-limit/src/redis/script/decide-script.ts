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

const source = [
  beginLua,
  takeOneLua,
  meterLua,
  escrowLua,
  tokenBucketLua,
  budgetLua,
  slidingWindowLua,
  fixedWindowLua,
  slotsLua,
  decideLua,
].join('')

/** Decides asks about any subjects: KEYS has a key for each request, ARGV the rest. */
export const decideScript = Object.freeze({ source, sha1: hash('sha1', source) })
