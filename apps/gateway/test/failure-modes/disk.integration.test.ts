import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { startGateway, startProvider, temporaryFolder } from '@tidegate/testkit'
import { describe, expect, it } from 'vitest'
import { readiness, statuses } from './asking.ts'

const dayMs = 86_400_000

describe('a gateway whose disk is full', () => {
  it('answers every request and stays ready, and says once on standard error what is wrong', async () => {
    await using folder = await temporaryFolder('full-disk')
    await using provider = await startProvider()
    const logs = join(folder.path, 'logs')
    await mkdir(logs)
    // Takes no byte, with the error of a disk that has no room. The run may pass midnight.
    for (const at of [Date.now(), Date.now() + dayMs]) {
      const date = new Date(at).toISOString().slice(0, 10)
      await symlink('/dev/full', join(logs, `gateway.${date}.1.log`))
    }
    await using gateway = await startGateway({
      env: { TZ: 'UTC', LOG_FILE: join(logs, 'gateway.log') },
      config: {
        version: 1,
        upstreams: { openai: { protocol: 'openai', endpoints: [{ url: `${provider.url}/v1` }] } },
        routes: [{ match: '/v1/**', upstreams: ['openai'], auth: 'none' }],
      },
    })
    expect(await statuses(gateway, 20)).toEqual(Array(20).fill(200))
    expect(await readiness(gateway)).toEqual({ code: 200, status: 'ready' })
    gateway.signal('SIGTERM')
    expect(await gateway.exit).toMatchObject({ code: 0 })
    expect(gateway.stderr.match(/ENOSPC/g)).toHaveLength(1)
  })
})
