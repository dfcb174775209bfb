import { describe, expect, it } from 'vitest'
import { type BannerOptions, banner } from './banner.ts'

const options: BannerOptions = {
  ...{ url: 'http://127.0.0.1:8084', profile: 'development', kind: 'embedded' },
  ...{ directory: '/data', adminKeyFile: '/data/admin-key', warnings: ['beware'], color: false },
}

describe('banner', () => {
  it('says where, on what, where the first key is, and what to try', () => {
    const text = banner(options)
    expect(text).toContain('listens on http://127.0.0.1:8084')
    expect(text).toContain('an embedded database in /data')
    expect(text).toContain('Bearer $(cat /data/admin-key)')
    expect(text).toContain('warning: beware')
  })

  it('holds nothing that drives a terminal, and quotes paths for a shell', () => {
    const path = "/da\u001b[1mta/it's"
    const text = banner({ ...options, directory: path, adminKeyFile: undefined })
    expect(text).not.toContain('\u001b')
    expect(banner({ ...options, adminKeyFile: "/a b/it's" })).toContain(`'/a b/it'\\''s'`)
  })
})
