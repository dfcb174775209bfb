import { describe, expect, it } from 'vitest'
import { isKept } from './kept.ts'

const statuses = (from: number, to: number) => [...Array(to - from).keys()].map((at) => at + from)

describe('isKept', () => {
  it('keeps successes and what an upstream has judged', () => {
    for (const status of [200, 201, 202, 204, 303, 400, 404, 410, 413, 415, 422, 451]) {
      expect([status, isKept(status, undefined)]).toEqual([status, true])
    }
  })

  it('keeps nothing that a repeat may turn into a success', () => {
    for (const status of [401, 403, 408, 409, 425, 429, ...statuses(500, 600)]) {
      expect([status, isKept(status, undefined)]).toEqual([status, false])
      expect(isKept(status, 'false')).toBe(false)
    }
  })

  it('keeps no part of an answer and no way round', () => {
    expect([206, 307].map((status) => isKept(status, undefined))).toEqual([false, false])
  })

  it('keeps nothing that its upstream wants to be asked again', () => {
    expect(isKept(400, 'true')).toBe(false)
    expect(isKept(400, 'false')).toBe(true)
  })
})
