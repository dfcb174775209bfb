import { describe, expect, it } from 'vitest'
import { findNodeFault } from './node-version.ts'

describe('findNodeFault', () => {
  it.each(['22.19.0', '22.20.1', '24.0.0', '26.10.0'])('takes Node %s', (version) => {
    expect(findNodeFault(version)).toBeUndefined()
  })

  it.each(['18.20.0', '20.20.2', '22.18.9'])('says what to do about Node %s', (version) => {
    expect(findNodeFault(version)).toContain(`this is Node ${version}`)
  })
})
