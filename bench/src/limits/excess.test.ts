import assert from 'node:assert/strict'
import { test } from 'node:test'
import { excessOf } from './excess.ts'

const quota = { limit: 10, windowMs: 10 }

test('a burst and the rate after it keep the promise', () => {
  const at: [number, number][] = [
    [100, 10],
    ...Array.from({ length: 20 }, (_, i): [number, number] => [101 + i, 1]),
  ]
  assert.equal(excessOf(at, at, quota), 0)
})

test('a second burst right after the first is found, however long it is quiet before and after', () => {
  const at: [number, number][] = [
    [100, 1],
    [1000, 10],
    [1001, 10],
    [5000, 1],
  ]
  // Two milliseconds give two more than the burst.
  assert.equal(excessOf(at, at, quota), 8)
})

test('what may have been decided earlier is not held against anybody', () => {
  const asked: [number, number][] = [
    [100, 10],
    [101, 10],
  ]
  const answered: [number, number][] = [[120, 20]]
  assert.equal(excessOf(asked, answered, quota), 0)
})

test('what several processes admitted in one millisecond is added up', () => {
  const at: [number, number][] = [
    [100, 6],
    [100, 6],
  ]
  assert.equal(excessOf(at, at, quota), 1)
})
