import { describe, expect, it } from 'vitest'
import { createLoadSource } from './load-source.ts'

const turns = async (count: number) => {
  for (let n = 0; n < count; n += 1) await new Promise((resolve) => setTimeout(resolve, 12))
}

describe('createLoadSource', () => {
  it('weighs one long turn more than many short ones', async () => {
    const source = createLoadSource()
    await turns(5)
    source.read()
    await turns(3)
    const until = performance.now() + 400
    while (performance.now() < until);
    await turns(3)
    const { delayMs, utilization } = source.read()
    // The plain mean of these turns would be below 80 ms.
    expect(delayMs).toBeGreaterThan(150)
    expect(utilization).toBeGreaterThan(0.1)
    source.close()
  })
})
