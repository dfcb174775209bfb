import { describe, expect, it } from 'vitest'
import { newSpanId, newTraceId } from './ids.ts'

describe('newTraceId', () => {
  it('gives ids of 32 hexadecimal digits, each only once, across refills of the pool', () => {
    const ids = Array.from({ length: 5_000 }, () => newTraceId())
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids.filter((id) => !/^[\da-f]{32}$/.test(id))).toEqual([])
  })
})

describe('newSpanId', () => {
  it('gives ids of 16 hexadecimal digits, none of them part of a trace id', () => {
    const traces = Array.from({ length: 500 }, () => newTraceId()).join(' ')
    const ids = Array.from({ length: 500 }, () => newSpanId())
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids.filter((id) => !/^[\da-f]{16}$/.test(id) || traces.includes(id))).toEqual([])
  })
})
