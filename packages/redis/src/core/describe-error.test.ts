import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { commandError, connectError } from './describe-error.ts'
import { isRedisError, RedisReplyError } from './errors.ts'

/** As ioredis makes them: the command hangs on the error. */
function reply(message: string): Error {
  const command = { name: 'hello', args: ['3', 'AUTH', 'ann', 's3cret'] }
  return Object.assign(new Error(message), { name: 'ReplyError', command })
}

const shown = (error: unknown) => inspect(error, { depth: 9, showHidden: true })

describe('connectError', () => {
  it.each([
    [reply('WRONGPASS invalid username-password pair'), 'auth_failed'],
    [reply('NOAUTH HELLO must be called with the client already authenticated'), 'auth_failed'],
    [Object.assign(new Error('self-signed'), { code: 'SELF_SIGNED_CERT_IN_CHAIN' }), 'tls_failed'],
    [Object.assign(new Error('altname'), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' }), 'tls_failed'],
    [Object.assign(new Error(''), { code: 'ECONNREFUSED' }), 'connection_failed'],
    [new Error('Command timed out'), 'connection_failed'],
    ['a text', 'connection_failed'],
  ])('tells %s apart', (error, code) => {
    const told = connectError(error, 'h:6379')
    expect(told).toMatchObject({ code, mayHaveRun: false })
    expect(told.message).toContain('h:6379')
    expect(shown(told)).not.toContain('s3cret')
  })

  it('looks for the reason in what the last node of a Cluster said', () => {
    const lastNodeError = reply('WRONGPASS invalid username-password pair')
    const error = Object.assign(new Error('Failed to refresh slots cache.'), { lastNodeError })
    expect(connectError(error, 'h:1 (Cluster)')).toMatchObject({ code: 'auth_failed' })
  })
})

describe('commandError', () => {
  it.each([
    [new Error('Command timed out'), 'timeout', true],
    [new Error('Connection is closed.'), 'interrupted', true],
    [new Error('Reached the max retries per request limit (which is 0).'), 'interrupted', true],
    [new Error('something new'), 'interrupted', true],
    [
      new Error("Stream isn't writeable and enableOfflineQueue options is false"),
      'unavailable',
      false,
    ],
    [
      new Error("Cluster isn't ready and enableOfflineQueue options is false"),
      'unavailable',
      false,
    ],
    [reply('WRONGTYPE Operation against a key'), 'reply_error', false],
  ])('says of %s whether the command may have run', (error, code, mayHaveRun) => {
    const told = commandError(error, 'get', 'h:6379', 100)
    expect(told).toMatchObject({ code, mayHaveRun })
    expect(isRedisError(told)).toBe(true)
    expect(shown(told)).not.toContain('s3cret')
  })

  it('keeps the arguments that Redis repeats to itself', () => {
    const unknown = reply("ERR unknown command 'GTE', with args beginning with: 's3cret' ")
    const told = commandError(unknown, 'gte', 'h:6379', 100)
    expect(told).toBeInstanceOf(RedisReplyError)
    expect(shown(told)).not.toContain('s3cret')
  })
})
