import { describe, expect, it } from 'vitest'
import { faultSteps, parseFault } from './fault-spec.ts'
import { scenarios } from './scenarios.ts'

describe('parseFault', () => {
  it.each([
    ['storm', 'storm', 'always'],
    ['server-error', 'server-error', 1],
    ['storm:3', 'storm', 3],
    ['server-error:always', 'server-error', 'always'],
    ['storm:2@a.b-1', 'storm', 2],
    ['storm@one', 'storm', 'always'],
  ])('reads %s', (text, name, times) => {
    expect(parseFault(text)).toMatchObject({ scenario: { name }, times })
  })

  it.each([
    '',
    'storms',
    'storm:0',
    'storm:-1',
    'storm:x',
    'storm@',
    'storm:3:4',
    'Storm',
    'storm ',
  ])('says what %j could have been', (text) => {
    const said = parseFault(text)
    expect(said).toContain(`There is no fault ${JSON.stringify(text)}`)
    expect(said).toContain('NAME:always')
    expect(said).toContain('half-json')
  })

  it('keeps what it quotes short', () => {
    expect(String(parseFault('x'.repeat(10_000))).length).toBeLessThan(1_000)
  })
})

describe('faultSteps', () => {
  it('goes wrong so many times, then well', () => {
    const wrong = { status: 503 }
    expect(faultSteps('storm:2')).toEqual([wrong, wrong, {}])
    expect(faultSteps('storm')).toEqual([wrong])
    expect(faultSteps('storm:1@x')).toEqual([wrong, {}])
  })

  it("speaks each protocol's words", () => {
    expect(faultSteps('content-filter')).toMatchObject([{ finishReason: 'content_filter' }])
    expect(faultSteps('content-filter', 'anthropic')).toMatchObject([{ finishReason: 'refusal' }])
  })

  it('refuses what is no fault', () => {
    expect(() => faultSteps('nothing')).toThrow('There is no fault "nothing"')
  })
})

describe('scenarios', () => {
  it('have names of their own that a model can carry', () => {
    const names = scenarios.map((scenario) => scenario.name)
    expect(new Set(names).size).toBe(names.length)
    for (const name of names) expect(parseFault(name)).toHaveProperty('scenario.name', name)
  })
})
