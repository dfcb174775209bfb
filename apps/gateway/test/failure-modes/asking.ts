import type { RunningGateway } from '@tidegate/testkit'

export const adminKey = 'admin-of-the-failure-modes'
export const clientKey = 'key-of-the-failure-modes'

/** Asks a model, reads the whole answer, and tells its status. */
export async function ask(gateway: RunningGateway, path = '/v1/chat/completions'): Promise<number> {
  const messages = [{ role: 'user', content: 'When is high tide?' }]
  const response = await fetch(gateway.url + path, {
    method: 'POST',
    body: JSON.stringify({ model: 'tide', messages }),
    headers: { 'content-type': 'application/json', authorization: `Bearer ${clientKey}` },
  })
  await response.arrayBuffer()
  return response.status
}

/** Asks so many times, one after the other. */
export async function statuses(gateway: RunningGateway, count: number, path?: string) {
  const all: number[] = []
  while (all.length < count) all.push(await ask(gateway, path))
  return all
}

/** What a load balancer is told, with the status of the answer. */
export async function readiness(gateway: RunningGateway): Promise<unknown> {
  const response = await fetch(`${gateway.url}/readyz`)
  return { code: response.status, ...((await response.json()) as object) }
}

/** What operators see under a path of the gateway's own, as JSON. */
export async function seen<T>(gateway: RunningGateway, path: string): Promise<T> {
  const headers = { 'x-admin-key': adminKey, accept: 'application/json' }
  return (await (await fetch(gateway.url + path, { headers })).json()) as T
}

/** The value of a series that is at `/metrics`, by its name and its labels as they stand there. */
export async function figure(gateway: RunningGateway, series: string): Promise<number | undefined> {
  const headers = { 'x-admin-key': adminKey, accept: 'text/plain' }
  const text = await (await fetch(`${gateway.url}/metrics`, { headers })).text()
  const line = text.split('\n').find((each) => each.startsWith(`${series} `))
  return line === undefined ? undefined : Number(line.slice(series.length + 1))
}
