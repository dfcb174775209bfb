import { describe, expect, it } from 'vitest'
import { presentedKeys } from './presented.ts'

describe('presentedKeys', () => {
  it('reads Bearer, x-api-key and api-key', () => {
    expect(
      presentedKeys({ authorization: 'bearer  a b ', 'x-api-key': 'c', 'api-key': 'd' }),
    ).toEqual([
      { header: 'authorization', key: 'a b' },
      { header: 'x-api-key', key: 'c' },
      { header: 'api-key', key: 'd' },
    ])
  })

  it('takes no other scheme and nothing empty for a key', () => {
    expect(presentedKeys({ authorization: 'Basic YTpi', 'x-api-key': '' })).toEqual([])
    expect(presentedKeys({ authorization: 'Bearer ' })).toEqual([])
    expect(presentedKeys({ authorization: 'Bearertoken' })).toEqual([])
  })
})
