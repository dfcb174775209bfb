import { describe, expect, it } from 'vitest'
import { configurationProblems, configurationsIn } from '../rules/configurations.ts'

const fence = '```'

describe('configurationsIn', () => {
  it('takes whole configurations and leaves excerpts', () => {
    const text = `a\n${fence}yaml\nversion: 1\nroutes: []\n${fence}\n${fence}yaml\nroutes: []\n${fence}\n`
    expect(configurationsIn(text)).toEqual([{ line: 3, yaml: 'version: 1\nroutes: []\n' }])
  })
})

describe('configurationProblems', () => {
  const upstream =
    'upstreams:\n  a:\n    protocol: http\n    endpoints: [{ url: "http://127.0.0.1:9" }]\n'
  const route = 'routes:\n  - { match: /**, upstreams: [a], auth: none }\n'

  it('accepts what the gateway would start with', async () => {
    const yaml = `version: 1\nadmin: { key: "\${SOME_KEY}" }\n${upstream}${route}`
    expect(await configurationProblems('X.md', { line: 1, yaml })).toEqual([])
  })

  it('finds what the gateway refuses', async () => {
    const yaml = `version: 1\nsevrer: { port: 1 }\n${upstream}${route}`
    const found = await configurationProblems('X.md', { line: 7, yaml })
    expect(found.join()).toMatch(/^X\.md:7: the configuration is refused:[\s\S]*sevrer/)
  })
})
