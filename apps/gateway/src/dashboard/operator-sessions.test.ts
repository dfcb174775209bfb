import { Secret } from '@tidegate/config'
import { describe, expect, it } from 'vitest'
import { OperatorSessions, SESSION_MS } from './operator-sessions.ts'

const start = Date.UTC(2026, 0, 1)

function sessionsOf(key: string, clock = { now: start }): OperatorSessions {
  return new OperatorSessions(new Secret(key), () => clock.now)
}

const cookie = (token: string) => `tidegate_session=${token}`

describe('OperatorSessions', () => {
  it('knows its own sessions until they expire', async () => {
    const clock = { now: start }
    const sessions = sessionsOf('one', clock)
    const token = await sessions.begin()
    expect(await sessions.find(cookie(token))).toMatchObject({ expiresAt: start + SESSION_MS })
    clock.now = start + SESSION_MS - 1
    expect(await sessions.find(cookie(token))).toBeDefined()
    clock.now = start + SESSION_MS
    expect(await sessions.find(cookie(token))).toBeUndefined()
  })

  it('knows those of another gateway with the same key, and none of another key', async () => {
    const token = await sessionsOf('one').begin()
    expect(await sessionsOf('one').find(cookie(token))).toBeDefined()
    expect(await sessionsOf('two').find(cookie(token))).toBeUndefined()
  })

  it('takes nothing that was changed in any place', async () => {
    const sessions = sessionsOf('one')
    const token = await sessions.begin()
    for (let at = 0; at < token.length; at += 1) {
      const other = token[at] === 'A' ? 'B' : 'A'
      const forged = token.slice(0, at) + other + token.slice(at + 1)
      // The last character of base64url may hold bits that mean nothing: another text all the same.
      expect(await sessions.find(cookie(forged)), forged).toBeUndefined()
    }
    for (const forged of [
      '',
      '.',
      '..',
      token.slice(0, -1),
      `${token}A`,
      `${token}.`,
      `.${token}`,
    ]) {
      expect(await sessions.find(cookie(forged)), forged).toBeUndefined()
    }
    expect(await sessions.find(undefined)).toBeUndefined()
  })

  it('finds the right one among others of its name', async () => {
    const sessions = sessionsOf('one')
    const both = `tidegate_session=planted; ${cookie(await sessions.begin())}`
    expect(await sessions.find(both)).toBeDefined()
  })

  it('doesn’t take one again that was ended, and goes on with the others', async () => {
    const sessions = sessionsOf('one')
    const [one, other] = [cookie(await sessions.begin()), cookie(await sessions.begin())]
    const session = await sessions.find(one)
    if (session === undefined) throw new Error('there is no session')
    sessions.end(session)
    expect(await sessions.find(one)).toBeUndefined()
    expect(await sessions.find(other)).toBeDefined()
  })

  it('has a token for each session’s own page, which is not the session’s', async () => {
    const sessions = sessionsOf('one')
    const token = await sessions.begin()
    const [mine, other] = [
      await sessions.find(cookie(token)),
      await sessions.find(cookie(await sessions.begin())),
    ]
    if (mine === undefined || other === undefined) throw new Error('there is no session')
    const csrf = await sessions.csrfTokenOf(mine)
    expect(token).not.toContain(csrf)
    expect(await sessions.isCsrfToken(mine, csrf)).toBe(true)
    expect(await sessions.isCsrfToken(other, csrf)).toBe(false)
    expect(await sessions.isCsrfToken(mine, '')).toBe(false)
    expect(await sessions.find(cookie(`${mine.id}.${csrf}`))).toBeUndefined()
  })
})
