import { describe, expect, it } from 'vitest'
import { createLogger } from './logger.ts'
import { logSecurityEvent } from './security-event.ts'

describe('logSecurityEvent', () => {
  const lines: Record<string, unknown>[] = []
  const logger = createLogger({
    destination: { write: (line: string) => lines.push(JSON.parse(line)) },
  })

  it('marks refusals and failures, at warn', () => {
    logSecurityEvent(logger, { type: 'auth_failure', reason: 'unknown key', authorization: 'x' })
    expect(lines.pop()).toMatchObject({
      level: 'warn',
      security: true,
      event_type: 'auth_failure',
      reason: 'unknown key',
      authorization: '[redacted]',
      message: 'security: auth_failure',
    })
  })

  it('marks ordinary use, at info, with a message of its own', () => {
    logSecurityEvent(logger, { type: 'key_use', key_id: 'ci', message: 'key used' })
    expect(lines.pop()).toMatchObject({
      level: 'info',
      security: true,
      key_id: 'ci',
      message: 'key used',
    })
  })

  it('takes types of the caller, which are warnings, and lets no field hide the mark', () => {
    logSecurityEvent(logger, { type: 'canary_read', security: false, event_type: 'other' })
    expect(lines.pop()).toMatchObject({ level: 'warn', security: true, event_type: 'canary_read' })
  })
})
