import { pollUntil } from '@tidegate/testkit'
import { describe, expect, it } from 'vitest'
import { createLoadShedder } from './load-shedder.ts'
import { createLoadSource } from './load-source.ts'

const turns = async (count: number) => {
  for (let n = 0; n < count; n += 1) await new Promise((resolve) => setTimeout(resolve, 12))
}

function block(ms: number) {
  const until = performance.now() + ms
  while (performance.now() < until);
}

describe('createLoadSource', () => {
  it('weighs one long turn more than many short ones', async () => {
    const source = createLoadSource()
    await turns(5)
    source.read()
    await turns(3)
    block(400)
    await turns(3)
    const { delayMs, utilization } = source.read()
    // The plain mean of these turns would be below 80 ms.
    expect(delayMs).toBeGreaterThan(150)
    expect(utilization).toBeGreaterThan(0.1)
    source.close()
  })
})

describe('createLoadShedder', () => {
  it('begins to shed when the event loop was blocked, and ends when it runs again', async () => {
    const told: boolean[] = []
    using shedder = createLoadShedder({
      maxDelay: '100ms',
      sampleEvery: '100ms',
      onChange: ({ shedding }) => void told.push(shedding),
    })
    await turns(3)
    block(1_000)
    await pollUntil(async () => told.includes(true) && !shedder.state.shedding, {
      describe: () => `it has told ${told}`,
      timeoutMs: 20_000,
    })
    expect(told.slice(0, 2)).toEqual([true, false])
  })
})
