import { describe, expect, it } from 'vitest'
import { connection } from '../data/connection.ts'
import { initialState, reduce, type State, windows } from '../data/state.ts'
import type { Answer, Api, LoginResult } from './api.ts'
import { Link } from './link.ts'
import type { Source } from './sample-stream.ts'

type Listener = (event: { readonly data?: unknown }) => void

class FakeSource implements Source {
  readonly listeners = new Map<string, Listener>()
  closed = false

  addEventListener(type: string, listener: Listener): void {
    this.listeners.set(type, listener)
  }

  tell(t: number, values: Readonly<Record<string, number>> = {}): void {
    this.listeners.get('sample')?.({ data: JSON.stringify({ t, values }) })
  }

  close(): void {
    this.closed = true
  }
}

/** A link to a gateway that a test plays, with a clock that it turns. */
class Play {
  at = 1_000_000
  state: State = initialState(this.at)
  answer: (path: string) => Answer = fine
  login: LoginResult = { kind: 'open' }
  csrf: string | null | undefined
  readonly asked: string[] = []
  readonly sources: FakeSource[] = []
  readonly link: Link

  constructor() {
    const api: Api = {
      get: (path) => {
        this.asked.push(path.replace(/\?.*&window/, '?window'))
        return Promise.resolve(this.answer(path))
      },
      login: () => Promise.resolve(this.login),
      logout: (csrf) => {
        this.csrf = csrf
        return Promise.resolve({ kind: 'answer', status: 204, body: null })
      },
    }
    this.link = new Link({
      api,
      openSource: () => {
        const source = new FakeSource()
        this.sources.push(source)
        return source
      },
      dispatch: (event) => {
        this.state = reduce(this.state, event, this.at)
      },
      state: () => this.state,
      now: () => this.at,
    })
  }

  get source(): FakeSource | undefined {
    return this.sources.at(-1)
  }

  /** Lets seconds pass, with a sample in each where the stream flows. */
  async pass(seconds: number, flowing = false): Promise<void> {
    for (let second = 0; second < seconds; second += 1) {
      this.at += 1_000
      if (flowing) this.source?.tell(this.at)
      await this.tick()
    }
  }

  async tick(): Promise<void> {
    this.link.tick()
    // Answers come at once; what follows from them needs a few turns.
    await new Promise((resolve) => setImmediate(resolve))
  }

  count(path: string): number {
    return this.asked.filter((each) => each.startsWith(path)).length
  }
}

function fine(path: string): Answer {
  const body = path === '/dashboard/session' ? { authenticated: true, csrf: 'token' } : {}
  return { kind: 'answer', status: 200, body }
}

const gone = (): Answer => ({ kind: 'failed', reason: 'no connection' })

async function opened(): Promise<Play> {
  const play = new Play()
  await play.tick()
  return play
}

describe('Link', () => {
  it('asks for the session first, and then for everything', async () => {
    const play = await opened()
    expect(play.asked[0]).toBe('/dashboard/session')
    expect(play.state.session).toEqual({ kind: 'open', csrf: 'token' })
    expect(play.asked).toContain('/health/upstreams')
    expect(play.asked).toContain('/metrics/history?window=300s&step=1s')
    expect(play.sources).toHaveLength(1)
  })

  it('asks nothing further without a session', async () => {
    const play = new Play()
    play.answer = () => ({
      kind: 'answer',
      status: 200,
      body: { authenticated: false, csrf: null },
    })
    await play.pass(5)
    expect(play.state.session).toEqual({ kind: 'closed', ended: false })
    expect(play.asked).toEqual(['/dashboard/session'])
    expect(play.sources).toEqual([])
  })

  it('asks every five seconds for what isn’t streamed, and for no seconds while they are', async () => {
    const play = await opened()
    await play.pass(20, true)
    expect(play.count('/health/upstreams')).toBe(5)
    expect(play.count('/metrics/history')).toBe(1)
    expect(connection(play.state).kind).toBe('live')
  })

  it('asks for the last seconds while the stream is quiet, and tries the stream again', async () => {
    const play = await opened()
    play.answer = (path) => {
      const points = [[play.at, 5]]
      const body = { now: play.at, series: [{ metric: 'requests.rate', points }] }
      return path.includes('window=20s') ? { kind: 'answer', status: 200, body } : fine(path)
    }
    await play.pass(16)
    expect(connection(play.state).kind).toBe('polling')
    expect(play.count('/metrics/history?window=20s')).toBeGreaterThan(3)
    expect(play.sources).toHaveLength(2)
    expect(play.sources[0]?.closed).toBe(true)
    await play.pass(3, true)
    expect(connection(play.state).kind).toBe('live')
  })

  it('tells trouble, asks again soon, and draws anew when the gateway is back', async () => {
    const play = await opened()
    await play.pass(5, true)
    play.answer = gone
    play.source?.listeners.get('error')?.({})
    await play.pass(1)
    expect(connection(play.state)).toMatchObject({ kind: 'lost', reason: 'no connection' })
    const asked = play.count('/health/upstreams')
    await play.pass(10)
    expect(play.count('/health/upstreams') - asked).toBe(3)
    play.answer = fine
    const sources = play.sources.length
    await play.pass(5)
    expect(play.state.trouble).toBeNull()
    expect(play.sources.length).toBeGreaterThan(sources)
    expect(play.count('/metrics/history?window=300s')).toBe(2)
  })

  it('ends the session when the gateway says that it is none, and closes the stream', async () => {
    const play = await opened()
    play.answer = () => ({ kind: 'unauthorised' })
    await play.pass(6, true)
    expect(play.state.session).toEqual({ kind: 'closed', ended: true })
    expect(play.source?.closed).toBe(true)
    play.answer = fine
    await play.link.login('key')
    await play.tick()
    expect(play.state.session.kind).toBe('open')
    expect(play.source?.closed).toBe(false)
  })

  it('says nothing of an expired session to one who logs out, and gives the token', async () => {
    const play = await opened()
    await play.link.logout()
    expect(play.csrf).toBe('token')
    expect(play.state.session).toEqual({ kind: 'closed', ended: false })
  })

  it('asks for another window at once, and for minutes again and again', async () => {
    const play = await opened()
    play.link.show(windows[1])
    await play.tick()
    expect(play.asked).toContain('/metrics/history?window=3600s&step=60s')
    await play.pass(41, true)
    expect(play.count('/metrics/history?window=3600s')).toBe(3)
  })

  it('takes no answer for a window that isn’t shown any more', async () => {
    const play = await opened()
    const body = { now: 0, series: [{ metric: 'x', points: [[1, 1]] }] }
    play.answer = (path) =>
      path.includes('window=3600s') ? { kind: 'answer', status: 200, body } : fine(path)
    play.link.show(windows[1])
    play.link.show(windows[0])
    await play.tick()
    expect(play.state.frame.times).toEqual([])
  })

  it('asks for everything after a sleep', async () => {
    const play = await opened()
    await play.pass(2, true)
    play.at += 3_600_000
    await play.tick()
    expect(play.count('/metrics/history?window=300s')).toBe(2)
  })
})
