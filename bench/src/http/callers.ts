import { readFileSync } from 'node:fs'

/** Fetches the upstream's JSON once and reads it. */
export type Call = () => Promise<unknown>

/** Measured as built, so that it is what users get. */
const BUILT = new URL('../../../packages/resilience/dist/http.js', import.meta.url)
type Door = typeof import('../../../packages/resilience/src/http.ts')

async function tidegate(url: string, ca: string | undefined, headers = {}): Promise<Call> {
  const { createHttpClient } = (await import(BUILT.href).catch((cause: unknown) => {
    throw new Error('Run `npx -y pnpm@12 build` in the root first.', { cause })
  })) as Door
  const client = createHttpClient({
    baseUrls: url,
    connections: CONNECTIONS,
    headers,
    ...(ca === undefined ? {} : { tls: { ca } }),
  })
  return async () => (await client.get('/orders/1')).data
}

/** As many as calls at a time: nobody waits for a connection. */
export const CONNECTIONS = 50

/**
 * The contenders, each made in a process of its own: importing undici changes what `fetch` runs on. All
 * reuse their connections but the last, which asks for a new one with every call.
 */
export const callers = {
  'undici request': async (url: string, ca: string | undefined) => {
    const { Pool } = await import('undici')
    const tls = ca === undefined ? {} : { connect: { ca } }
    const pool = new Pool(url, { connections: CONNECTIONS, pipelining: 1, allowH2: false, ...tls })
    return async () => {
      const { body } = await pool.request({ method: 'GET', path: '/orders/1' })
      return body.json()
    }
  },
  tidegate: (url: string, ca: string | undefined) => tidegate(url, ca),
  fetch: async (url: string) => async () => (await fetch(`${url}/orders/1`)).json(),
  got: async (url: string) => {
    const { default: got } = await import('got')
    const { Agent } = await import('node:http')
    const agent = { http: new Agent({ keepAlive: true, maxSockets: CONNECTIONS }) }
    return async () => got(`${url}/orders/1`, { agent }).json()
  },
  'tidegate, not pooled': (url: string, ca: string | undefined) =>
    tidegate(url, ca, { connection: 'close' }),
} satisfies Record<string, (url: string, ca: string | undefined) => Promise<Call>>

export type CallerName = keyof typeof callers

/** Makes the caller that a process was started as. */
export function createCaller(name: string, url: string, caFile: string | undefined): Promise<Call> {
  const ca = caFile === undefined ? undefined : readFileSync(caFile, 'utf8')
  const entry = Object.entries(callers).find(([known]) => known === name)
  if (entry === undefined) throw new Error(`There is no caller "${name}".`)
  return entry[1](url, ca)
}
