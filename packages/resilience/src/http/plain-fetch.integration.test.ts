import { execFile } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const run = promisify(execFile)

const server = createServer((request, response) => {
  const path = request.url ?? ''
  if (path.startsWith('/redirect')) response.writeHead(302, { location: '/gzip' }).end()
  else if (path === '/gzip') {
    response.writeHead(200, { 'content-encoding': 'gzip', 'x-agent': request.headers.connection })
    response.end(gzipSync('plain again'))
  } else request.pipe(response)
})
let url = ''
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

/** What a program sees of plain `fetch`, in a process that has done nothing else before. */
const program = (before: string) => `
${before}
const url = ${JSON.stringify(url)}
const redirected = await fetch(url + '/redirect')
const manual = await fetch(url + '/redirect', { redirect: 'manual' })
const posted = await fetch(url + '/echo', { method: 'POST', body: new URLSearchParams({ a: 'b' }) })
const refused = await fetch('http://127.0.0.1:1').catch((error) => error)
const dispatcher = (version) => globalThis[Symbol.for('undici.globalDispatcher.' + version)]
console.log(JSON.stringify({
  redirected: [redirected.status, redirected.redirected, redirected.url, await redirected.text()],
  headers: [...redirected.headers].filter(([name]) => name !== 'date'),
  manual: [manual.status, manual.type, manual.headers.get('location')],
  posted: [posted.status, await posted.text()],
  refused: [refused.name, refused.message, refused.cause?.code],
  dispatchers: [1, 2].map((version) => dispatcher(version)?.constructor.name),
}))
process.exit(0)
`

async function outcomeOf(before: string): Promise<unknown> {
  const options = ['--conditions=@tidegate/source', '--input-type=module', '--eval']
  const { stdout } = await run(process.execPath, [...options, program(before)], {
    cwd: import.meta.dirname,
  })
  return JSON.parse(stdout)
}

const use = `
import { createHttpClient } from '@tidegate/resilience/http'
`
const call = () => `
const client = createHttpClient({ baseUrls: ${JSON.stringify(url)} })
await client.post('/echo', { json: { ours: true } })
await client.close()
`

describe("the process's plain fetch", () => {
  it('behaves as if this package were not there, imported and used', async () => {
    const alone = await outcomeOf('')
    expect(alone).toMatchObject({ redirected: [200, true, `${url}/gzip`, 'plain again'] })
    expect(await outcomeOf(use)).toEqual(alone)
    expect(await outcomeOf(use + call())).toEqual(alone)
  })
})
