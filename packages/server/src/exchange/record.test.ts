import { EventEmitter } from 'node:events'
import { Context } from 'hono'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ClientGone, DeadlineExceeded } from '../problems/errors.ts'
import { ExchangeRecord } from './record.ts'

class FakeOutgoing extends EventEmitter {
  destroyed = false
  headersSent = false
  writableFinished = false

  close(finished: boolean): void {
    this.destroyed = true
    this.writableFinished = finished
    this.emit('close')
  }
}

function open(env?: object, request = new Request('http://localhost/')) {
  return new ExchangeRecord({
    context: new Context(request, { env, path: '/', matchResult: [[]] } as never),
    requestId: 'req_1',
    clientRequestId: undefined,
    service: 'gateway',
    peerIp: 'unknown',
    clientIp: 'unknown',
    peerTrusted: false,
    now: () => Date.now(),
  })
}

describe('ExchangeRecord', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('costs no timer and no listener until the signal is read', () => {
    const outgoing = new FakeOutgoing()
    const record = open({ outgoing })
    record.deadlineAt = Date.now() + 100
    expect(vi.getTimerCount()).toBe(0)
    expect(outgoing.listenerCount('close')).toBe(0)
    expect(record.signal).toBe(record.signal)
    expect(vi.getTimerCount()).toBe(1)
    expect(outgoing.listenerCount('close')).toBe(1)
  })

  it('aborts at the deadline and names the hop that was waited for', () => {
    const record = open()
    record.deadlineAt = Date.now() + 100
    record.hop = 'upstream openai'
    const { signal } = record
    vi.advanceTimersByTime(99)
    expect(signal.aborted).toBe(false)
    vi.advanceTimersByTime(1)
    expect(signal.reason).toBeInstanceOf(DeadlineExceeded)
    expect(signal.reason.facts).toEqual({ hop: 'upstream openai', limitMs: 100 })
    expect(signal.reason.message).toContain('upstream openai')
    expect(record.outcome).toBe('deadline')
  })

  it('names itself when no hop was being waited for', () => {
    const record = open()
    record.deadlineAt = Date.now() - 1
    expect(record.signal.reason.facts.hop).toBe('gateway')
  })

  it('follows a deadline that is moved after the signal was read', () => {
    const record = open()
    const { signal } = record
    record.deadlineAt = Date.now() + 100
    record.deadlineAt = Date.now() + 1000
    vi.advanceTimersByTime(500)
    expect(signal.aborted).toBe(false)
    record.deadlineAt = undefined
    vi.advanceTimersByTime(5000)
    expect(signal.aborted).toBe(false)
  })

  it('does not take a deadline beyond the longest timer for one that has passed', () => {
    const record = open()
    record.deadlineAt = Number.POSITIVE_INFINITY
    expect(record.signal.aborted).toBe(false)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('aborts when the client leaves before the response is complete', () => {
    const outgoing = new FakeOutgoing()
    const record = open({ outgoing })
    const { signal } = record
    outgoing.close(false)
    expect(signal.reason).toBeInstanceOf(ClientGone)
    expect(record.outcome).toBe('client_gone')
    expect(record.abortReason).toBe(signal.reason)
  })

  it('notices a client that had left before the signal was read', () => {
    const outgoing = new FakeOutgoing()
    outgoing.close(false)
    expect(open({ outgoing }).signal.reason).toBeInstanceOf(ClientGone)
  })

  it('stops its clock when the response is complete', () => {
    const outgoing = new FakeOutgoing()
    const record = open({ outgoing })
    record.deadlineAt = Date.now() + 100
    const { signal } = record
    outgoing.close(true)
    expect(vi.getTimerCount()).toBe(0)
    expect(signal.aborted).toBe(false)
  })

  it('watches the socket of an upgraded connection, and the request elsewhere', () => {
    const socket = new EventEmitter()
    const upgraded = open({ incoming: { headers: {}, socket } })
    const { signal } = upgraded
    socket.emit('close')
    expect(signal.reason).toBeInstanceOf(ClientGone)

    const client = new AbortController()
    const web = open(undefined, new Request('http://localhost/', { signal: client.signal }))
    const seen = web.signal
    client.abort()
    expect(seen.reason).toBeInstanceOf(ClientGone)
  })

  it('keeps the first reason and a settled outcome', () => {
    const record = open()
    record.outcome = 'upstream_broken'
    const first = new Error('first')
    record.abort(first)
    record.abort(new ClientGone())
    expect(record.signal.reason).toBe(first)
    expect(record.outcome).toBe('upstream_broken')
  })

  it('aborts with a reason even when it is given none', () => {
    const record = open()
    record.abort(undefined)
    expect(record.signal.reason).toBeInstanceOf(Error)
  })
})
