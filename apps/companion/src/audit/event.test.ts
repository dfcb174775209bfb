import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anyDetails } from './audit.fixture.ts'
import { canonicalJson, type JsonObject } from './canonical-json.ts'
import { AuditError } from './errors.ts'
import { type AuditEvent, completeEvent } from './event.ts'

const event: AuditEvent = { tenant: 'acme', type: 'api_key.created' }

function refusal(changed: object): string {
  try {
    completeEvent({ ...event, ...changed })
  } catch (error) {
    if (error instanceof AuditError && error.code === 'invalid_event') return error.message
    throw error
  }
  throw new Error('the event is accepted')
}

describe('completeEvent', () => {
  it('fills in what is not known', () => {
    expect(completeEvent(event)).toEqual({
      ...event,
      actor: 'anonymous',
      details: {},
      ip: null,
      requestId: null,
    })
  })

  it('keeps what it was given, whatever becomes of it', () => {
    const details = { list: [1] }
    const complete = completeEvent({ ...event, details })
    details.list.push(2)
    expect(complete.details).toEqual({ list: [1] })
  })

  it('replaces what no database keeps', () => {
    const hostile = 'a\0b\ud800'
    const { actor, details } = completeEvent({
      ...event,
      actor: hostile,
      details: { [hostile]: [hostile] },
    })
    expect([actor, details]).toEqual(['a\ufffdb\ufffd', { 'a\ufffdb\ufffd': ['a\ufffdb\ufffd'] }])
  })

  it('leaves undefined members out', () => {
    const details = { a: 1, b: undefined } as unknown as JsonObject
    expect(completeEvent({ ...event, details }).details).toEqual({ a: 1 })
  })

  it('names the member that cannot be kept', () => {
    expect(refusal({ tenant: '' })).toContain('tenant is missing')
    expect(refusal({ actor: '' })).toContain('actor is missing')
    expect(refusal({ actor: 7 })).toContain('actor has to be a text')
    expect(refusal({ ip: 'x'.repeat(501) })).toContain('ip has more than 500 characters')
    for (const type of ['', 'A', 'a b', '.a', 'a..b', 'a.', 'a'.repeat(101), 'a\n']) {
      expect(refusal({ type })).toContain('type has to be words')
    }
  })

  it('names the place in details that is no JSON, and never its value', () => {
    expect(refusal({ details: { a: [Number.POSITIVE_INFINITY] } })).toContain('details/a/0')
    const secret = { reveal: () => 'hunter2', toJSON: () => 'hunter2' }
    expect(refusal({ details: { key: secret } })).toMatch(/details\/key\/\w+ is a function/)
    class Secret {
      toJSON = () => 'hunter2'
    }
    expect(refusal({ details: { key: new Secret() } })).toContain('details/key is no plain object')
    expect(refusal({ details: [1] })).toContain('details have to be an object')
    const ring: Record<string, unknown> = {}
    ring.ring = ring
    expect(refusal({ details: ring })).toContain('is nested too deeply')
  })

  it('refuses details beyond 32 KiB', () => {
    expect(refusal({ details: { a: 'ü'.repeat(16_400) } })).toContain('32 KiB')
    expect(completeEvent({ ...event, details: { a: 'x'.repeat(32_700) } })).toBeDefined()
  })

  it('keeps details of any kind in a form that it would keep again', () => {
    fc.assert(
      fc.property(anyDetails, (details) => {
        const kept = completeEvent({ ...event, details }).details
        expect(canonicalJson(completeEvent({ ...event, details: kept }).details)).toBe(
          canonicalJson(kept),
        )
      }),
    )
  })
})
