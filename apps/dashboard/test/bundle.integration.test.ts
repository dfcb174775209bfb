import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'

const dist = fileURLToPath(new URL('../dist/', import.meta.url))

describe('the built page', () => {
  it('is smaller than 120 kB when it is compressed', async () => {
    const files = await readdir(dist, { recursive: true, withFileTypes: true })
    const sizes = files
      .filter((file) => file.isFile())
      .map(async ({ parentPath, name }) => gzipSync(await readFile(`${parentPath}/${name}`)).length)
    const total = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
    expect(total).toBeGreaterThan(0)
    expect(total).toBeLessThan(120_000)
  })

  it('names its files below /dashboard/, and holds no script or style of its own', async () => {
    const html = await readFile(`${dist}index.html`, 'utf8')
    const named = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path)
    expect(named.length).toBeGreaterThanOrEqual(3)
    expect(named.filter((path) => !path?.startsWith('/dashboard/assets/'))).toEqual([])
    expect(html).not.toMatch(/<style|\sstyle=|<script(?![^>]*\ssrc=)/)
  })
})
