import { pollUntil, type RedisServer, startRedis } from '@tidegate/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { EventListener, type Told } from './event-listener.fixture.ts'
import { admin, type StreamingGateway, streamingGateway } from './streaming-gateway.fixture.ts'

let redis: RedisServer
let open: StreamingGateway[] = []

beforeAll(async () => {
  redis = await startRedis({ own: true })
})
beforeEach(() => redis.command('FLUSHALL'))
afterEach(async () => {
  redis.resume()
  await redis.start()
  await Promise.all(open.map((gateway) => gateway[Symbol.asyncDispose]()))
  open = []
})
afterAll(() => redis[Symbol.asyncDispose]())

async function gatewayOnRedis(): Promise<StreamingGateway> {
  const gateway = await streamingGateway({ redis: redis.url })
  open.push(gateway)
  return gateway
}

const publish = (gateway: StreamingGateway, name: string, value: number) =>
  fetch(`${gateway.url}/metrics`, {
    method: 'POST',
    headers: admin,
    body: JSON.stringify({ name, value }),
  })

async function published(gateway: StreamingGateway, query = ''): Promise<readonly unknown[]> {
  const response = await fetch(`${gateway.url}/metrics/published${query}`, { headers: admin })
  const { metrics } = (await response.json()) as { metrics: { value: unknown }[] }
  return metrics.map(({ value }) => value)
}

const values = (told: readonly Told[]): unknown[] => told.map(({ data }) => data.value)

describe('gateways on one Redis', () => {
  it('have one stream of what is published, which is there after a restart', async () => {
    const [one, other] = [await gatewayOnRedis(), await gatewayOnRedis()]
    await using listener = new EventListener(`${other.url}/metrics/published`, 'metric')
    await listener.until(() => listener.opened === 1)
    await publish(one, 'a', 1)
    await publish(other, 'b', 2)
    await listener.until((told) => told.length === 2)
    expect(values(listener.told)).toEqual([1, 2])
    const again = await gatewayOnRedis()
    expect(await published(again)).toEqual([1, 2])
    expect(await published(again, '?metric=b')).toEqual([2])
    const after = `${again.url}/metrics/published?lastEventId=${listener.told[0]?.id}`
    await using late = new EventListener(after, 'metric')
    await late.until((told) => told.length === 1)
    expect(late.told).toMatchObject([{ type: 'metric', data: { value: 2 } }])
    expect(await redis.command('EXISTS', 'tidegate:metrics:stream:1')).toBe(1)
  })

  it('tell the points of all of them together', async () => {
    const both = [await gatewayOnRedis(), await gatewayOnRedis()]
    for (const { history } of both) history.declare('requests.rate', { kind: 'level' })
    const [first] = both
    const path = `${first?.url}/metrics/stream?metric=requests.rate`
    await using listener = new EventListener(path, 'sample')
    const measure = (): void => {
      for (const { history } of both) history.sample({ 'requests.rate': 2 })
    }
    const isWhole = ({ data }: Told): boolean =>
      (data.values as Record<string, number>)['requests.rate'] === 4
    await listener.until((told) => told.filter(isWhole).length >= 3, measure)
  })

  it('acknowledge nothing while it is away, and go on once it is back', async () => {
    const gateway = await gatewayOnRedis()
    await publish(gateway, 'a', 1)
    await using listener = new EventListener(`${gateway.url}/metrics/published`, 'metric')
    await listener.until(() => listener.opened === 1)
    await redis.stop()
    const refused = await publish(gateway, 'lost', 2)
    expect(refused.status).toBe(503)
    expect(await refused.json()).toMatchObject({ code: 'metrics_unavailable' })
    const unread = await fetch(`${gateway.url}/metrics/published`, { headers: admin })
    expect(unread.status).toBe(503)
    await redis.start()
    await pollUntil(async () => (await publish(gateway, 'back', 3)).status === 202, {
      describe: () => 'Redis is back, and nothing is taken',
    })
    await listener.until((told) => told.some(({ data }) => data.name === 'back'))
    expect(listener.opened).toBe(1)
    const names = (await gateway.history.names()).map(({ metric }) => metric)
    expect(names).not.toContain('lost')
    expect(gateway.lines.map(({ message }) => message)).not.toContain('a stream of metrics failed')
  })
})
