import { describe, expect, it } from 'vitest'
import { abortable, askOnce } from './asking.ts'

const never = new AbortController().signal

describe('askOnce', () => {
  it('has one question open at a time, however many ask and leave', async () => {
    let asked = 0
    let answer = Promise.withResolvers<number>()
    const ask = askOnce(() => {
      asked += 1
      return answer.promise
    })
    const leaving = new AbortController()
    const first = ask(leaving.signal)
    leaving.abort(new Error('left'))
    await expect(first).rejects.toThrow('left')
    const second = ask(never)
    expect(asked).toBe(1)
    answer.resolve(1)
    expect(await second).toBe(1)
    answer = Promise.withResolvers()
    const third = ask(never)
    expect(asked).toBe(2)
    answer.reject(new Error('refused'))
    await expect(third).rejects.toThrow('refused')
  })

  it('asks nothing for somebody who has left already', async () => {
    const ask = askOnce(() => Promise.reject(new Error('asked')))
    await expect(ask(AbortSignal.abort(new Error('left')))).rejects.toThrow('left')
  })
})

describe('abortable', () => {
  it('leaves no listener behind', async () => {
    const { signal } = new AbortController()
    const { add, remove } = { add: signal.addEventListener, remove: signal.removeEventListener }
    let listeners = 0
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners += 1
      add.apply(signal, args)
    }
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners -= 1
      remove.apply(signal, args)
    }
    expect(await abortable(Promise.resolve(3), signal)).toBe(3)
    expect(listeners).toBe(0)
  })
})
