import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createHttpClient, type HttpClient } from './client.ts'

/** A server whose answers a test gives by hand. */
let waiting: ServerResponse[]
let asked: number
let closedEarly: number
let client: HttpClient
let stop: () => void
let arrival: PromiseWithResolvers<void>

beforeEach(async () => {
  waiting = []
  asked = 0
  closedEarly = 0
  arrival = Promise.withResolvers()
  const server = createServer((_, response) => {
    asked += 1
    waiting.push(response)
    response.once('close', () => {
      if (!response.writableFinished) closedEarly += 1
    })
    arrival.resolve()
    arrival = Promise.withResolvers()
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  client = createHttpClient({
    baseUrls: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    retry: false,
  })
  stop = () => {
    server.closeAllConnections()
    server.close()
  }
})

afterEach(async () => {
  stop()
  await client.close()
})

function answer(body: string): void {
  for (const response of waiting.splice(0)) {
    response.setHeader('content-type', 'application/json')
    response.end(body)
  }
}

describe('createHttpClient sharing requests', () => {
  it('sends one request for all who ask at the same time', async () => {
    const came = arrival.promise
    const calls = Array.from({ length: 50 }, () => client.get('/a', { dedupe: true }))
    await came
    answer('{"n":1}')
    const answers = await Promise.all(calls)
    expect(answers.map(({ data }) => data)).toEqual(answers.map(() => ({ n: 1 })))
    expect(asked).toBe(1)
  })

  it('gives each a value of its own to change', async () => {
    const came = arrival.promise
    const calls = [client.get('/a', { dedupe: true }), client.get('/a', { dedupe: true })]
    await came
    answer('{"n":1}')
    const [one, other] = await Promise.all(calls)
    expect(one?.data).not.toBe(other?.data)
  })

  it('goes on while one caller is left, and stops upstream when the last has gone', async () => {
    const controllers = Array.from({ length: 3 }, () => new AbortController())
    const came = arrival.promise
    const calls = controllers.map(({ signal }) => client.get('/a', { dedupe: true, signal }))
    const settled = Promise.allSettled(calls)
    await came
    const upstream = waiting[0]
    const closed = new Promise((resolve) => upstream?.once('close', resolve))
    controllers[0]?.abort('one')
    controllers[1]?.abort('two')
    await expect(calls[0]).rejects.toMatchObject({ code: 'aborted', cause: 'one' })
    expect(closedEarly).toBe(0)
    controllers[2]?.abort('three')
    await closed
    expect(closedEarly).toBe(1)
    expect((await settled).map(({ status }) => status)).toEqual([
      'rejected',
      'rejected',
      'rejected',
    ])

    const again = arrival.promise
    const next = client.get('/a', { dedupe: true })
    await again
    answer('{"n":2}')
    expect((await next).data).toEqual({ n: 2 })
  })

  it('keeps callers with other credentials, and methods that change something, apart', async () => {
    const headersOf = (token: string) => ({ authorization: `Bearer ${token}` })
    const calls = [
      client.get('/a', { dedupe: true, headers: headersOf('one') }),
      client.get('/a', { dedupe: true, headers: headersOf('two') }),
      client.post('/a', { dedupe: true }),
      client.post('/a', { dedupe: true }),
    ]
    while (asked < 4) await arrival.promise
    answer('{}')
    await Promise.all(calls)
    expect(asked).toBe(4)
  })

  it("keeps a caller's own limit, whoever else waits longer for the same", async () => {
    const long = client.get('/a', { dedupe: true })
    const short = client.get('/a', { dedupe: true, timeouts: { totalMs: 30 } })
    await expect(short).rejects.toMatchObject({ code: 'timeout', limit: 'total' })
    answer('1')
    expect((await long).data).toBe(1)
  })

  it('shares a failure too, and keeps none of it', async () => {
    const came = arrival.promise
    const calls = [client.get('/a', { dedupe: true }), client.get('/a', { dedupe: true })]
    const settled = Promise.allSettled(calls)
    await came
    for (const response of waiting.splice(0)) response.writeHead(500).end()
    expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    const again = arrival.promise
    const next = client.get('/a', { dedupe: true })
    await again
    answer('1')
    expect((await next).data).toBe(1)
  })
})
