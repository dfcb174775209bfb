import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { startProvider, temporaryFolder } from '@tidegate/testkit'
import { describe, expect, it } from 'vitest'
import { cachingGateway } from '../cache/caching-gateway.fixture.ts'
import { readPageFiles } from './page-files.ts'

describe('a gateway that was built without the page', () => {
  it('says so, and does all else', async () => {
    await using provider = await startProvider()
    await using gateway = await cachingGateway(provider)
    const page = await gateway.ask('/dashboard', { as: '' })
    expect([page.status, page.json.code]).toEqual([501, 'dashboard_not_built'])
    expect(page.text).toContain('pnpm build:gateway')
    const session = await gateway.ask('/dashboard/session', { as: '' })
    expect([session.status, session.json.authenticated]).toEqual([200, false])
  })
})

describe('readPageFiles', () => {
  it('finds nothing in a folder that is not there, or holds no page', async () => {
    await using folder = await temporaryFolder('page')
    expect(await readPageFiles(pathToFileURL(join(folder.path, 'gone/')))).toBeUndefined()
    await writeFile(join(folder.path, 'index.js'), '')
    expect(await readPageFiles(pathToFileURL(`${folder.path}/`))).toBeUndefined()
  })

  it('takes what a page is made of, with what was compressed beside it', async () => {
    await using folder = await temporaryFolder('page')
    await mkdir(join(folder.path, 'assets'))
    for (const name of ['index.html', 'index.html.br', 'assets/a.js', 'assets/b.map', 'secret']) {
      await writeFile(join(folder.path, name), name)
    }
    const files = await readPageFiles(pathToFileURL(`${folder.path}/`))
    expect([...(files?.keys() ?? [])].sort()).toEqual(['assets/a.js', 'index.html'])
    const page = files?.get('index.html')
    expect([...(page?.compressed.keys() ?? [])]).toEqual(['br'])
    expect(Buffer.from(page?.plain ?? []).toString()).toBe('index.html')
  })
})
