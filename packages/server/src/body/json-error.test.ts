import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { locateJsonFault } from './json-error.ts'

const isJson = (text: string) => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

describe('locateJsonFault', () => {
  it.each([
    ['{"a":1,}', 7, 'a property name'],
    ['{"a" 1}', 5, '":"'],
    ['{a:1}', 1, 'a property name or "}"'],
    ['[1 2]', 3, '"," or "]"'],
    ['[1,]', 3, 'a value'],
    ['{"a":1', 6, '"," or "}"'],
    ['{"a":"b', 7, 'the end of the string'],
    ['"a\\x"', 2, 'a valid character or escape sequence'],
    ['"a\nb"', 2, 'a valid character or escape sequence'],
    ['1 1', 2, 'the end of the body'],
    ['', 0, 'a value'],
    ['NaN', 0, 'a value'],
    ['01', 1, 'the end of the body'],
    ["{'a':1}", 1, 'a property name or "}"'],
  ])('points at the fault in %j', (text, position, expected) => {
    expect(locateJsonFault(text)).toMatchObject({ position, expected })
  })

  it('counts lines and columns from one', () => {
    expect(locateJsonFault('{\n  "a": 1\n  "b": 2\n}')).toMatchObject({ line: 3, column: 3 })
    expect(locateJsonFault('x')).toMatchObject({ line: 1, column: 1 })
  })

  it('accepts exactly what JSON.parse accepts', () => {
    const damage = fc.tuple(
      fc.json(),
      fc.nat(),
      fc.constantFrom(
        '',
        ',',
        '"',
        '}',
        ']',
        ':',
        '\\',
        '-',
        '0',
        'e',
        '\u0001',
        '\u0085',
        '\ud800',
      ),
      fc.nat({ max: 2 }),
    )
    fc.assert(
      fc.property(damage, ([json, at, inserted, removed]) => {
        const place = at % (json.length + 1)
        const text = json.slice(0, place) + inserted + json.slice(place + removed)
        const fault = locateJsonFault(text)
        expect(fault === undefined).toBe(isJson(text))
        if (fault !== undefined) expect(fault.position).toBeLessThanOrEqual(text.length)
      }),
      { numRuns: 3000 },
    )
  })

  it('reads deep and long texts', () => {
    expect(locateJsonFault('['.repeat(200_000))).toMatchObject({ position: 200_000 })
    expect(locateJsonFault(`"${'a\\n'.repeat(500_000)}`)).toMatchObject({
      expected: 'the end of the string',
    })
  })
})
