import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { covers, findPrefixFault, parseMatch, type RouteMatch } from './route-match.ts'

function matchOf(text: string): RouteMatch {
  const { match, fault } = parseMatch(text)
  if (match === undefined) throw new Error(fault)
  return match
}

describe('parseMatch', () => {
  it.each([
    ['/', [], false],
    ['/**', [], true],
    ['/v1/**', ['v1'], true],
    ['/v1/*/files', ['v1', '*', 'files'], false],
    ['/a.b/c-d_e~', ['a.b', 'c-d_e~'], false],
    ['/healthy/**', ['healthy'], true],
  ])('takes %s', (text, segments, open) => {
    expect(parseMatch(text)).toEqual({ match: { segments, open } })
  })

  it.each([
    ['v1/**', 'begin with "/"'],
    ['', 'begin with "/"'],
    ['https://x/v1', 'begin with "/"'],
    ['/v1/', 'not end in "/"'],
    ['//v1', 'empty segment'],
    ['/**/v1', 'last segment'],
    ['/v1/*.json', 'whole segment'],
    ['/v1/***', 'whole segment'],
    ['/v1/../x', 'dot segments'],
    ['/./x', 'dot segments'],
    ['/v1/:id', 'only letters'],
    ['/v1/{id}', 'only letters'],
    ['/v1?x=1', 'only letters'],
    ['/v1#top', 'only letters'],
    ['/v1/%2e', 'only letters'],
    ['/café', 'only letters'],
    ['/a b', 'only letters'],
    ['/a\\b', 'only letters'],
    ['/health', 'the gateway itself'],
    ['/metrics/**', 'the gateway itself'],
    ['/cache/stats', 'the gateway itself'],
  ])('refuses %j', (text, fault) => {
    expect(parseMatch(text).fault).toContain(fault)
  })
})

describe('covers', () => {
  it.each([
    ['/**', '/v1/**', true],
    ['/v1/**', '/v1', true],
    ['/v1/**', '/v1/messages', true],
    ['/v1/*', '/v1/messages', true],
    ['/*/x', '/v1/x', true],
    ['/v1/**', '/v1/**', true],
    ['/v1/messages', '/v1/**', false],
    ['/v1/*', '/v1/**', false],
    ['/v1/*', '/v1/a/b', false],
    ['/v1/a', '/v1/*', false],
    ['/v1/*/**', '/v1/**', false],
    ['/v2/**', '/v1/x', false],
  ])('%s before %s: %s', (earlier, later, expected) => {
    expect(covers(matchOf(earlier), matchOf(later))).toBe(expected)
  })

  it('holds for every path that the later one matches', () => {
    const segment = fc.constantFrom('a', 'b', '*')
    const pattern = fc.record({ segments: fc.array(segment, { maxLength: 3 }), open: fc.boolean() })
    const path = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 4 })
    fc.assert(
      fc.property(pattern, pattern, path, (earlier, later, segments) => {
        fc.pre(covers(earlier, later) && matches(later, segments))
        expect(matches(earlier, segments)).toBe(true)
      }),
      { numRuns: 300 },
    )
  })
})

function matches({ segments, open }: RouteMatch, path: readonly string[]): boolean {
  if (open ? path.length < segments.length : path.length !== segments.length) return false
  return segments.every((segment, index) => segment === '*' || segment === path[index])
}

describe('findPrefixFault', () => {
  it.each([
    ['/companion', '/companion/**', undefined],
    ['/a/b', '/a/b/*/c', undefined],
    ['/companion/', '/companion/**', 'not end'],
    ['companion', '/companion/**', 'begin with'],
    ['/comp', '/companion/**', 'such as "/companion"'],
    ['/a/x', '/a/*', 'such as "/a"'],
  ])('%s of %s', (prefix, match, fault) => {
    const found = findPrefixFault(prefix, matchOf(match))
    if (fault === undefined) expect(found).toBeUndefined()
    else expect(found).toContain(fault)
  })
})
