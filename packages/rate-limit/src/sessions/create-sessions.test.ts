import { describe, expect, it, vi } from 'vitest'
import { createSessions, type SessionEvent } from './create-sessions.ts'
import { memorySessionStore } from './memory-session-store.ts'

describe('createSessions', () => {
  it('lets five of a user be open for an hour unless told otherwise', async () => {
    const sessions = createSessions()
    expect([sessions.maxPerUser, sessions.ttlMs]).toEqual([5, 3_600_000])
    const opened = []
    for (let at = 0; at < 6; at += 1) opened.push(await sessions.open('ada'))
    expect(opened.map(({ allowed }) => allowed)).toEqual([true, true, true, true, true, false])
  })

  it('keeps the beginning of what a session is listed under, in good characters', async () => {
    const sessions = createSessions()
    await sessions.touch('ada', 'long', { client: 'é'.repeat(9_000) })
    await sessions.touch('eve', 'half', { client: 'phone \ud800' })
    await sessions.touch('bob', 'none', { client: '' })
    expect((await sessions.list('ada'))[0]?.client).toBe('é'.repeat(256))
    expect((await sessions.list('eve'))[0]?.client).toBe('phone \ufffd')
    expect((await sessions.list('bob'))[0]?.client).toBeUndefined()
  })

  it('makes ids that cannot be guessed, and handles that do not tell them', async () => {
    const sessions = createSessions()
    const one = await sessions.open('ada', { client: 'phone' })
    const two = await sessions.open('ada')
    if (!one.allowed || !two.allowed) throw new Error('no room')
    expect(one.id).toMatch(/^sess_[\w-]{32}$/)
    expect(one.id).not.toBe(two.id)
    expect(one.session.handle).toMatch(/^[\w-]{22}$/)
    expect(one.session.handle).toBe(sessions.handleOf('ada', one.id))
    expect(sessions.handleOf('eve', one.id)).not.toBe(one.session.handle)
    expect(JSON.stringify(await sessions.list('ada'))).not.toContain(one.id)
    expect(await sessions.touch('ada', one.id)).toMatchObject({ allowed: true, opened: false })
  })

  it('takes a handle for no id', async () => {
    const sessions = createSessions()
    await sessions.touch('ada', 'phone')
    const handle = sessions.handleOf('ada', 'phone')
    expect(await sessions.touch('ada', handle)).toMatchObject({ opened: true })
  })

  it('cuts what a client calls itself, and takes nothing for nothing', async () => {
    const sessions = createSessions()
    const long = await sessions.touch('ada', 'a', { client: `${'x'.repeat(255)}\u{1f30a}` })
    const none = await sessions.touch('ada', 'b', { client: '' })
    expect(long).toMatchObject({ session: { client: `${'x'.repeat(255)}\ufffd` } })
    expect(none).toMatchObject({ session: { client: undefined } })
  })

  it('tells what was opened, refused and ended, and is not stopped by who is told', async () => {
    const events: SessionEvent[] = []
    const onEvent = (event: SessionEvent) => {
      events.push(event)
      throw new Error('broken observer')
    }
    const sessions = createSessions({ maxPerUser: 1, onEvent })
    const opened = await sessions.open('ada')
    if (!opened.allowed) throw new Error('no room')
    await sessions.touch('ada', opened.id)
    await sessions.open('ada')
    await sessions.endAll('ada')
    await sessions.touch('ada', opened.id)
    const told = events.map((event) => [
      event.type,
      event.type === 'refused' ? event.answer.reason : event.session.handle,
    ])
    const { handle } = opened.session
    expect(told).toEqual([
      ['opened', handle],
      ['refused', 'limit'],
      ['ended', handle],
      ['refused', 'ended'],
    ])
    expect(JSON.stringify(events)).not.toContain(opened.id)
  })

  it.each([
    ['', 'id'],
    ['ada', ''],
    ['ada', 'x'.repeat(1_025)],
    ['x'.repeat(1_025), 'id'],
  ])('rejects a user or an id that is none', async (user, id) => {
    await expect(createSessions().touch(user, id)).rejects.toMatchObject({
      code: 'invalid_request',
    })
  })

  it.each([
    { ttlMs: 0 },
    { ttlMs: 1.5 },
    { maxPerUser: 0 },
    { maxPerUser: 1_001 },
    { confirmedForMs: -1 },
  ])('refuses %j', (options) => {
    expect(() => createSessions(options)).toThrow(/must be a whole number/)
  })

  it("rejects with the store's own error", async () => {
    const lost = new Error('lost')
    const fail = () => Promise.reject(lost)
    const sessions = createSessions({ store: { touch: fail, list: fail, end: fail } })
    await expect(sessions.touch('ada', 'id')).rejects.toBe(lost)
    await expect(sessions.list('ada')).rejects.toBe(lost)
    await expect(sessions.endAll('ada')).rejects.toBe(lost)
  })
})

describe('confirmedForMs', () => {
  function watched() {
    let clock = 1_000_000
    const memory = memorySessionStore()
    const touch = vi.fn(memory.touch.bind(memory))
    const store = { touch, list: memory.list.bind(memory), end: memory.end.bind(memory) }
    const options = { store, now: () => clock, ttlMs: 60_000, confirmedForMs: 1_000 }
    const advance = (ms: number) => {
      clock += ms
    }
    return { touch, options, advance }
  }

  it('answers without the store for so long after an answer of its own', async () => {
    const { touch, options, advance } = watched()
    const sessions = createSessions(options)
    const [first, second] = await Promise.all([
      sessions.touch('ada', 'id'),
      sessions.touch('ada', 'id'),
    ])
    expect([first, second]).toMatchObject([{ opened: true }, { opened: false }])
    advance(999)
    await sessions.touch('ada', 'id')
    expect(touch).toHaveBeenCalledTimes(1)
    advance(1)
    await sessions.touch('ada', 'id')
    expect(touch).toHaveBeenCalledTimes(2)
  })

  it('is at most a twentieth of the ttl', async () => {
    const { touch, options, advance } = watched()
    const sessions = createSessions({ ...options, ttlMs: 2_000 })
    await sessions.touch('ada', 'id')
    advance(100)
    await sessions.touch('ada', 'id')
    expect(touch).toHaveBeenCalledTimes(2)
  })

  it('refuses at once what was ended here, and within the time what was ended elsewhere', async () => {
    const { options, advance } = watched()
    const [here, elsewhere] = [createSessions(options), createSessions(options)]
    await here.touch('ada', 'id')
    await elsewhere.touch('ada', 'id')
    await here.end('ada', here.handleOf('ada', 'id'))
    expect(await here.touch('ada', 'id')).toMatchObject({ reason: 'ended' })
    expect(await elsewhere.touch('ada', 'id')).toMatchObject({ allowed: true })
    advance(1_000)
    expect(await elsewhere.touch('ada', 'id')).toMatchObject({ reason: 'ended' })
  })

  it('keeps no refusal and no failure', async () => {
    const { touch, options } = watched()
    const sessions = createSessions({ ...options, maxPerUser: 1 })
    touch.mockRejectedValueOnce(new Error('lost') as never)
    await expect(sessions.touch('ada', 'id')).rejects.toThrow('lost')
    expect(await sessions.touch('ada', 'id')).toMatchObject({ opened: true })
    expect(await sessions.touch('ada', 'other')).toMatchObject({ reason: 'limit' })
    await sessions.endAll('ada')
    expect(await sessions.touch('ada', 'other')).toMatchObject({ opened: true })
  })

  it('asks again after an end of which nobody knows whether it took place', async () => {
    const { touch, options } = watched()
    const store = { ...options.store, end: () => Promise.reject(new Error('lost')) }
    const sessions = createSessions({ ...options, store })
    await sessions.touch('ada', 'id')
    await expect(sessions.endAll('ada')).rejects.toThrow('lost')
    await sessions.touch('ada', 'id')
    expect(touch).toHaveBeenCalledTimes(2)
  })

  it('remembers a bounded number of answers', async () => {
    const { touch, options } = watched()
    const sessions = createSessions(options)
    for (let user = 0; user <= 10_000; user += 1) await sessions.touch(`user-${user}`, 'id')
    touch.mockClear()
    await sessions.touch('user-10000', 'id')
    expect(touch).not.toHaveBeenCalled()
    await sessions.touch('user-0', 'id')
    expect(touch).toHaveBeenCalledTimes(1)
  })
})
