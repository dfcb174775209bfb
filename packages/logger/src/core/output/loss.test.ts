import { describe, expect, it } from 'vitest'
import { countLines, LossAccount } from './loss.ts'

describe('LossAccount', () => {
  it('gives the line about what is missing once it works again', () => {
    const loss = new LossAccount('a test', () => 0)
    expect(loss.recovered()).toBeUndefined()
    loss.failed('ENOSPC', 3)
    loss.failed('ENOSPC', 4)
    expect(JSON.parse(loss.recovered() ?? '')).toEqual({
      level: 'warn',
      timestamp: '1970-01-01T00:00:00.000Z',
      pid: process.pid,
      lost_lines: 7,
      message: 'log lines were lost',
    })
    expect(loss.recovered()).toBeUndefined()
  })

  it('has nothing to tell in the log when no line was lost', () => {
    const loss = new LossAccount('a test', () => 0)
    loss.failed('EIO', 0)
    expect(loss.recovered()).toBeUndefined()
  })
})

describe('countLines', () => {
  it('counts newlines in text and bytes', () => {
    expect([countLines('a\nb\n'), countLines(''), countLines(Buffer.from('a\nb\nc'))]).toEqual([
      2, 0, 2,
    ])
  })
})
