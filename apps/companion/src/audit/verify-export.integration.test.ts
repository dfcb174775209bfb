import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder } from '@tidegate/testkit'
import { describe, expect, it } from 'vitest'
import { publicKeys } from './audit.fixture.ts'
import { testTrail } from './trail.fixture.ts'
import { verifyExportFile } from './verify-export.ts'

describe('verifyExportFile', () => {
  it('verifies a file larger than what is read at once', async () => {
    await using folder = await temporaryFolder('audit')
    const path = join(folder.path, 'audit.ndjson')
    const { trail, fill } = testTrail()
    await fill(2_000)
    await writeFile(path, trail.exportNdjson())
    expect(await verifyExportFile(path, { publicKeys })).toEqual({
      intact: true,
      records: 2_000,
      first: 1,
      last: 2_000,
      provenThrough: 2_000,
    })
  })

  it('throws for a file that cannot be read', async () => {
    await using folder = await temporaryFolder('audit')
    const missing = join(folder.path, 'missing.ndjson')
    await expect(verifyExportFile(missing, { publicKeys })).rejects.toMatchObject({
      code: 'ENOENT',
    })
    await expect(verifyExportFile(folder.path, { publicKeys })).rejects.toMatchObject({
      code: 'EISDIR',
    })
  })
})
