import { describe, expect, it } from 'vitest'
import type { Statement } from '../queries.ts'
import { limitedStatements } from './statement-limit.ts'

const statement = { text: 'select 1', values: [], rows: 'arrays' } as const

async function sentWith(remaining: readonly (number | undefined)[]): Promise<readonly unknown[]> {
  const sent: unknown[] = []
  const connection = {
    command: async (text: string) => void sent.push(text),
    send: async ({ timeoutMs }: Statement) => {
      sent.push(timeoutMs)
      return { rows: [] }
    },
  }
  const left = [...remaining]
  const deadline = { remainingMs: () => left.shift(), check: () => undefined, end: () => undefined }
  const run = limitedStatements(connection, deadline)
  for (let count = remaining.length - 1; count > 0; count -= 1) await run(statement)
  return sent
}

describe('limitedStatements', () => {
  it('states the limit again whenever half of the time has passed', async () => {
    expect(await sentWith([1_000, 900, 500, 499, 300, 249])).toEqual([
      ...[900, 500, 'set local statement_timeout = 499', 499],
      ...[300, 'set local statement_timeout = 249', 249],
    ])
  })

  it('adds nothing where there is no deadline', async () => {
    expect(await sentWith([undefined, undefined, undefined])).toEqual([undefined, undefined])
  })
})
