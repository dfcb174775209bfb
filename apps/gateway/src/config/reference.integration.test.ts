import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBodyValidator } from '@tidegate/server'
import { describe, expect, it } from 'vitest'
import { checkSettings } from './load.ts'
import { createReference } from './reference.ts'

const files = new Map(createReference().map(({ path, text }) => [path, text]))

describe('createReference', () => {
  it.each([...files])('is what %s says', (path, text) => {
    const written = readFileSync(new URL(`../../../../${path}`, import.meta.url), 'utf8')
    expect(written).toBe(text)
  })

  it('gives an example that starts when it is copied, with nothing to warn of', async () => {
    const cwd = mkdtempSync(join(tmpdir(), 'tidegate-example-'))
    writeFileSync(join(cwd, '.env'), files.get('.env.example') ?? '')
    const { settings, report } = await checkSettings({ env: {}, cwd })
    rmSync(cwd, { recursive: true })
    expect(report.toText()).toBe('tidegate: the configuration is valid (profile development)')
    expect(settings?.upstreams[0]?.demo).toBe(true)
  })

  it('gives an example whose commented variables are right too', async () => {
    const cwd = mkdtempSync(join(tmpdir(), 'tidegate-example-'))
    const example = files.get('.env.example') ?? ''
    writeFileSync(join(cwd, '.env'), example.replace(/^# ([A-Z_]+=)/gm, '$1'))
    const { settings, report } = await checkSettings({ env: {}, cwd })
    rmSync(cwd, { recursive: true })
    expect(report.problems).toEqual([])
    expect(report.warnings).toEqual([])
    expect(settings?.upstreams.map(({ name }) => name)).toEqual([
      'anthropic',
      'openai',
      'companion',
    ])
  })

  it('gives a JSON Schema that knows every key of the contract', () => {
    const schema = JSON.parse(files.get('apps/gateway/tidegate.schema.json') ?? '')
    expect(schema.additionalProperties).toBe(false)
    expect(Object.keys(schema.properties).sort()).toEqual(
      [
        ...[
          '$schema',
          'admin',
          'auth',
          'cache',
          'limits',
          'logging',
          'redis',
          'routes',
          'server',
          'tiers',
        ],
        ...['health', 'sessions', 'telemetry', 'upstreams', 'version'],
      ].sort(),
    )
  })

  it.each([
    [{}, {}],
    [{ retry: 'off', breaker: 'off', concurrency: false, hedge: 'off' }, { holdBack: 'off' }],
    [{ retry: { initial: '1s', budget: '20%' }, models: { a: 'b' } }, { holdBack: 'full' }],
    [{ hedge: { after: 'p95', budget: '5%' }, concurrency: { queue: 0 } }, { holdBack: 20 }],
    [{ hedge: { after: `\${DELAY}` }, breaker: { openFor: 500 } }, { holdBack: `\${EVENTS:-5}` }],
  ])('gives a JSON Schema that takes %j and %j', async (upstream, stream) => {
    expect(await judge(upstream, stream)).toBeUndefined()
  })

  it.each([
    [{ retry: { retries: 9 } }, {}],
    [{ retry: 'on' }, {}],
    [{ models: { a: 4 } }, {}],
    [{ hedge: { budget: '5%' } }, {}],
    [{ hedge: { after: 'p99' } }, {}],
    [{ endpoints: [{ url: 'http://x', weight: 0 }] }, {}],
    [{}, { holdBack: 0 }],
  ])('gives a JSON Schema that refuses %j and %j', async (upstream, stream) => {
    expect(await judge(upstream, stream)).toBeDefined()
  })
})

async function judge(upstream: object, stream: object): Promise<unknown> {
  const schema = JSON.parse(files.get('apps/gateway/tidegate.schema.json') ?? '')
  const validate = await createBodyValidator({ schema })
  const whole = { protocol: 'openai', endpoints: [{ url: 'http://x', weight: 0.5 }], ...upstream }
  const routes = [{ match: '/**', upstreams: ['a'], stream }]
  const content = JSON.stringify({ version: 1, upstreams: { a: whole }, routes })
  return validate('application/json', Buffer.from(content))
}
