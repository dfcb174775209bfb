import { describe, expect, it } from 'vitest'
import { createMemoryReplayStore } from './replay-store.ts'
import { refused, STRANGE, setUp, VECTOR, verified } from './standard-webhooks.fixture.ts'
import { createWebhookSigner } from './standard-webhooks.ts'

describe('a verifier with a replay store', () => {
  it('refuses a copy, and takes what the sender sends again', async () => {
    const { clock, now } = setUp()
    const { verifier } = setUp({ now, replayStore: createMemoryReplayStore({ now }) })
    const signer = createWebhookSigner({ secrets: VECTOR.secret, now })
    const send = () => ({ ...signer.sign({ id: 'msg_1', body: 'x' }) })
    const first = send()
    expect(await verifier.verify(first, 'x')).toMatchObject({ ok: true, id: 'msg_1' })
    clock.now += 5000
    expect(await verifier.verify(first, 'x')).toEqual(refused('replayed'))
    expect(await verifier.verify(send(), 'x')).toMatchObject({ ok: true, id: 'msg_1' })
  })

  it('takes one of two copies that arrive at once', async () => {
    const { now } = setUp()
    const { verify } = setUp({ replayStore: createMemoryReplayStore({ now }) })
    const both = await Promise.all([verify(), verify()])
    expect(both).toEqual([verified, refused('replayed')])
  })

  it('refuses a copy at every moment at which it would pass without', async () => {
    const { clock, now } = setUp()
    clock.now -= 300_000
    const { verify } = setUp({ now, replayStore: createMemoryReplayStore({ now }) })
    expect(await verify()).toEqual(verified)
    clock.now += 600_000
    expect(await verify()).toEqual(refused('replayed'))
    clock.now += 1
    expect(await verify()).toEqual(refused('too_old'))
  })

  it('remembers nothing that is not authentic', async () => {
    const seen: [string, number][] = []
    const replayStore = { remember: (key: string, until: number) => seen.push([key, until]) === 1 }
    const { verify } = setUp({ replayStore })
    await verify({ 'webhook-signature': `v1,${STRANGE}` })
    await verify({ 'webhook-timestamp': '1' })
    expect(seen).toEqual([])
    expect(await verify()).toEqual(verified)
    const until = VECTOR.timestamp * 1000 + 600_000
    expect(seen).toEqual([[`${VECTOR.id}.${VECTOR.timestamp}`, until]])
  })

  it('takes nothing while the store fails', async () => {
    const replayStore = { remember: () => Promise.reject(new Error('away')) }
    await expect(setUp({ replayStore }).verify()).rejects.toThrow('away')
  })
})
