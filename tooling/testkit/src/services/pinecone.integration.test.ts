import { describe, expect, it } from 'vitest'
import { startPineconeLookalike } from './pinecone.ts'

describe('startPineconeLookalike', () => {
  it('lists its index to whoever has the key', async () => {
    await using pinecone = await startPineconeLookalike({ apiKey: 'pc-key' })
    const ask = async (path: string, key = 'pc-key') =>
      await fetch(`${pinecone.url}${path}`, { headers: { 'api-key': key } })
    const listed = await (await ask('/indexes')).json()
    expect(listed).toMatchObject({ indexes: [{ name: 'tide', status: { ready: true } }] })
    expect((await ask('/indexes/tide')).status).toBe(200)
    expect((await ask('/nowhere')).status).toBe(404)
    expect((await ask('/indexes', 'another')).status).toBe(401)
    expect(pinecone.requests.at(-1)).toBe('GET /indexes')
  })

  it('is wrong, unready, failing, late, deaf, and gone, as it is told', async () => {
    await using pinecone = await startPineconeLookalike({ apiKey: 'pc-key', delayMs: 60 })
    const ask = async (signal?: AbortSignal) => {
      const headers = { 'api-key': 'pc-key' }
      const init = signal === undefined ? { headers } : { headers, signal }
      return await fetch(`${pinecone.url}/indexes/tide`, init)
    }
    await pinecone.behave('wrong')
    expect(await (await ask()).text()).toContain('<html>')
    await pinecone.behave('unready')
    expect(await (await ask()).json()).toMatchObject({ status: { ready: false } })
    await pinecone.behave('error')
    expect((await ask()).status).toBe(500)
    await pinecone.behave('slow')
    const startedAt = performance.now()
    expect((await ask()).status).toBe(200)
    expect(performance.now() - startedAt).toBeGreaterThan(50)
    await pinecone.behave('deaf')
    await expect(ask(AbortSignal.timeout(50))).rejects.toThrow('timeout')
    await pinecone.behave('refuse')
    await expect(ask()).rejects.toThrow('fetch failed')
    await pinecone.behave('up')
    expect((await ask()).status).toBe(200)
  })
})
