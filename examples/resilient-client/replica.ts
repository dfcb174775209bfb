import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** How a replica does: `busy` refuses, `silent` accepts and never answers, `odd` answers nonsense. */
export type Mood = 'well' | 'busy' | 'silent' | 'odd'

export interface Replica extends AsyncDisposable {
  readonly url: string
  mood: Mood
  /** Requests that have come. */
  readonly asked: number
}

/** A warehouse's server on a free port, to break by hand. */
export async function startReplica(mood: Mood): Promise<Replica> {
  let asked = 0
  const server = createServer((request, response) => {
    asked += 1
    if (replica.mood === 'silent') return
    if (replica.mood === 'busy') {
      response.writeHead(503, { 'content-type': 'text/plain' }).end('too busy')
      return
    }
    const article = decodeURIComponent(request.url?.split('/').at(-1) ?? '')
    const pieces = replica.mood === 'odd' ? 'plenty' : article.length
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ article, pieces }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const replica: Replica = {
    url: `http://127.0.0.1:${port}`,
    mood,
    get asked() {
      return asked
    },
    [Symbol.asyncDispose]: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
  return replica
}
