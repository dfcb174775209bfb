import { describe, expect, it } from 'vitest'
import { check, file, problemsOf } from './check.fixture.ts'

describe("a key's tier", () => {
  it('is one of those that are configured', async () => {
    const top = 'auth: { keys: [{ id: a, key: k, tier: fre }] }'
    expect(problemsOf(await check(file({ top })))).toEqual([
      expect.stringContaining('there is no tier "fre"'),
    ])
  })
})
