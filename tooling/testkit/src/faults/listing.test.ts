import { describe, expect, it } from 'vitest'
import { scenarios } from '../provider/scenarios.ts'
import { curlFor, listFaults } from './listing.ts'

describe('listFaults', () => {
  it('says of every fault what it does, what is owed, and how to see it', () => {
    const paragraphs = listFaults('http://127.0.0.1:1').split('\n\n')
    expect(paragraphs).toHaveLength(scenarios.length)
    for (const [index, { name, does, owed }] of scenarios.entries()) {
      const paragraph = paragraphs[index] ?? ''
      expect(paragraph).toContain(`${name}: ${does} (`)
      expect(paragraph).toContain(`owed: ${owed}`)
      expect(paragraph).toContain(`"model":"fault-${name}"`)
    }
  })
})

describe('curlFor', () => {
  it('streams where only a stream shows the fault', () => {
    for (const scenario of scenarios) {
      const streams = curlFor(scenario, 'http://x').includes('"stream":true')
      expect(streams).toBe(scenario.shownBy === 'stream')
    }
  })
})
