import { describe, expect, it } from 'vitest'
import { addContext, getContext, withContext } from './context.ts'

describe('withContext', () => {
  it('merges nested contexts, inner fields winning', async () => {
    const seen = await withContext({ a: 1, b: 1 }, () =>
      withContext({ b: 2 }, async () => {
        await Promise.resolve()
        return getContext()
      }),
    )
    expect(seen).toEqual({ a: 1, b: 2 })
    expect(getContext()).toEqual({})
  })

  it('keeps parallel calls apart', async () => {
    const read = (id: number) =>
      withContext({ id }, async () => {
        await Promise.resolve()
        return getContext()
      })
    expect(await Promise.all([read(1), read(2)])).toEqual([{ id: 1 }, { id: 2 }])
  })
})

describe('addContext', () => {
  it('adds to the context around the caller and not to the one outside', () => {
    withContext({ a: 1 }, () => {
      withContext({ b: 1 }, () => {
        addContext({ tenant: 'acme' })
        expect(getContext()).toEqual({ a: 1, b: 1, tenant: 'acme' })
      })
      expect(getContext()).toEqual({ a: 1 })
    })
  })

  it('leaves the fields that withContext was given alone', () => {
    const fields = { a: 1 }
    withContext(fields, () => addContext({ b: 2 }))
    expect(fields).toEqual({ a: 1 })
  })

  it('does nothing outside of a context', () => {
    addContext({ a: 1 })
    expect(getContext()).toEqual({})
  })
})
