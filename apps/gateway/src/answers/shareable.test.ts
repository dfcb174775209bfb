import type { Context } from 'hono'
import { describe, expect, it } from 'vitest'
import type { GatewayEnv } from '../env.ts'
import { isShareable } from './shareable.ts'

const asked = (
  headers: Readonly<Record<string, string>>,
  { method = 'POST', upgraded = undefined as object | undefined } = {},
): Context<GatewayEnv> =>
  ({
    env: { incoming: { headers, upgraded } },
    get: () => ({ method }),
  }) as unknown as Context<GatewayEnv>

describe('isShareable', () => {
  it('is true of requests whose answer another could have as well', () => {
    expect(isShareable(asked({ 'content-type': 'application/json' }))).toBe(true)
    expect(isShareable(asked({ accept: '*/*' }, { method: 'GET' }))).toBe(true)
  })

  it.each([
    'range',
    'if-range',
    'if-match',
    'if-none-match',
    'if-modified-since',
    'if-unmodified-since',
    'expect',
  ])('is false of one with %s', (name) => {
    expect(isShareable(asked({ [name]: 'x' }))).toBe(false)
  })

  it('is false of one that takes headers back on their way', () => {
    expect(isShareable(asked({ connection: 'close, Accept-Language' }))).toBe(false)
    expect(isShareable(asked({ connection: 'TE, close' }))).toBe(true)
    expect(isShareable(asked({ connection: 'Upgrade, HTTP2-Settings' }))).toBe(true)
  })

  it('is false of HEAD and of handshakes', () => {
    expect(isShareable(asked({}, { method: 'HEAD' }))).toBe(false)
    expect(isShareable(asked({}, { method: 'GET', upgraded: {} }))).toBe(false)
  })
})
