import type { Logger } from '@tidegate/logger'
import { describe, expect, it } from 'vitest'
import { openShedding } from './shedding.ts'

const logger = { info: () => {}, warn: () => {} } as unknown as Logger

describe('openShedding', () => {
  it('is not there where nothing was said of it', () => {
    expect(openShedding(undefined, logger)).toBeUndefined()
  })

  it('lets everything pass while there is no overload', () => {
    const shedding = openShedding({ maxDelay: 60_000 }, logger)
    for (let i = 0; i < 100; i += 1) shedding?.gate(undefined as never)
    expect([...(shedding?.counts ?? [])]).toEqual([])
    expect(shedding?.state).toMatchObject({ shedding: false, probability: 0 })
    shedding?.close()
  })
})
