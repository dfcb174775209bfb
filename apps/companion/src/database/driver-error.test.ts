import { describe, expect, it } from 'vitest'
import { fromDriver } from './driver-error.ts'
import { DatabaseError } from './errors.ts'

function driverError(
  fields: Record<string, string>,
  message = 'of the driver: value-of-a-row',
): Error {
  return Object.assign(new Error(message), fields)
}

describe('fromDriver', () => {
  it.each([
    ['23505', 'conflict'],
    ['40001', 'conflict'],
    ['40P01', 'conflict'],
    ['55P03', 'conflict'],
    ['57014', 'deadline_exceeded'],
    ['57P01', 'unavailable'],
    ['53300', 'unavailable'],
    ['08006', 'unavailable'],
    ['XX001', 'unavailable'],
    ['23503', 'refused'],
    ['22P02', 'refused'],
    ['42P01', 'refused'],
    ['ECONNREFUSED', 'unavailable'],
    ['ENOTFOUND', 'unavailable'],
    ['ETIMEDOUT', 'unavailable'],
    ['EPIPE', 'unavailable'],
  ])('maps %s to %s', (code, expected) => {
    expect(fromDriver(driverError({ code })).code).toBe(expected)
  })

  it('keeps the names of the schema and drops what quotes a row', () => {
    const fields = {
      code: '23503',
      table: 't',
      column: 'c',
      constraint: 'k',
      detail: 'Key (c)=(value-of-a-row)',
    }
    const error = fromDriver(driverError(fields))
    expect(error.facts).toEqual({ sqlState: '23503', table: 't', column: 'c', constraint: 'k' })
    expect(error.message).toBe(
      'The database refused a statement (SQLSTATE 23503, table t, column c, constraint k)',
    )
    expect(JSON.stringify(error) + error.stack).not.toContain('value-of-a-row')
    expect(error.cause).toBeUndefined()
  })

  it('takes what is neither for a driver out of order', () => {
    expect(fromDriver(new TypeError('value-of-a-row')).message).toBe(
      "The database's driver failed with TypeError.",
    )
    expect(fromDriver(undefined).code).toBe('unavailable')
  })

  it('leaves an error of ours as it is', () => {
    const error = new DatabaseError('lock_lost', 'gone')
    expect(fromDriver(error)).toBe(error)
  })
})
