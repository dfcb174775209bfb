import assert from 'node:assert/strict'
import { test } from 'node:test'
import { median, percentile } from './stats.ts'

test('a median lies in the middle and ignores what was not measured', () => {
  assert.equal(median([3, 1, 2]), 2)
  assert.equal(median([4, 1, Number.NaN, 3, 2]), 2.5)
  assert.ok(Number.isNaN(median([])))
})

test('a percentile is one of the values', () => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index)
  assert.equal(percentile(values, 99), 99)
  assert.equal(percentile(values, 100), 100)
  assert.equal(percentile([7], 99), 7)
})
