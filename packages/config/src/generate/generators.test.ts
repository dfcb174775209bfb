import { parseEnv } from 'node:util'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineConfig } from '../core/definition.ts'
import { field } from '../core/field.ts'
import { checkConfig } from '../core/load.ts'
import { boolean, choice, notBuiltYet, offOr } from '../fields/choices.ts'
import { duration } from '../fields/duration.ts'
import { integer, percent, port } from '../fields/numbers.ts'
import { rate } from '../fields/rate.ts'
import { httpUrl, list, secret } from '../fields/texts.ts'
import { apiSection } from '../sections/api.ts'
import { databaseSection } from '../sections/database.ts'
import { monitoringSection } from '../sections/monitoring.ts'
import { performanceSection } from '../sections/performance.ts'
import { redisSection } from '../sections/redis.ts'
import { checkSecurity, securitySection } from '../sections/security.ts'
import { toDotenvExample } from './dotenv-example.ts'
import { toJsonSchema } from './json-schema.ts'
import { toMarkdown } from './markdown.ts'

const definition = defineConfig({
  name: 'demo',
  schema: z.strictObject({
    version: z.literal(1).default(1),
    server: field(
      z
        .strictObject({
          port: field(port().prefault(8000), {
            env: ['PORT', 'HTTP_PORT'],
            description: 'Where to listen | not a column.',
          }),
          keepAlive: field(duration().default(65_000), {
            env: 'KEEP_ALIVE',
            description: 'How long.',
            profiles: { test: '1s' },
          }),
          title: field(z.string(), {
            env: 'TITLE',
            description: 'Required.',
            example: `it's "here" #1`,
            dotenv: `it's "here" #1`,
          }),
        })
        .optional(),
      { description: 'The listener.' },
    ),
    log: z
      .strictObject({
        file: field(z.string(), { env: 'LOG_FILE', description: 'A file.', example: 'x.log' }),
      })
      .optional(),
    limit: field(rate().prefault('100/1m'), {
      env: 'RATE',
      description: 'Limit.',
      dotenv: '90/1m',
    }),
    token: field(secret().optional(), { env: 'TOKEN', description: 'A token.' }),
    upstreams: z
      .record(
        z.string().regex(/^[a-z]+$/),
        z.discriminatedUnion('protocol', [
          z.strictObject({ protocol: z.literal('openai'), url: httpUrl() }),
          z.strictObject({ protocol: z.literal('http'), urls: list(httpUrl()) }),
        ]),
      )
      .prefault({}),
    routes: z
      .array(
        z.strictObject({
          match: z.string().min(1),
          auth: choice(['required', 'none']).prefault('required'),
          cache: offOr(z.strictObject({ ttl: duration() })).prefault('off'),
          budget: percent().optional(),
          retries: z.number().int().max(9).optional(),
          log: boolean().optional(),
          workers: z.union([choice(['auto']), integer({ min: 1 })]).optional(),
          hedge: notBuiltYet({ capability: 'hedging' }),
          tier: notBuiltYet({ off: [] }),
        }),
      )
      .prefault([]),
  }),
  profiles: { production: { server: { port: 80 } } },
})

const everySection = defineConfig({
  name: 'sections',
  schema: z.strictObject({
    api: apiSection.prefault({}),
    database: databaseSection.prefault({}),
    monitoring: monitoringSection.prefault({}),
    performance: performanceSection.prefault({}),
    redis: redisSection.prefault({}),
    security: securitySection.prefault({}),
  }),
  refine: ({ security }, { profile }) => checkSecurity(security, { profile }),
})

describe('toDotenvExample', () => {
  it.each([definition, everySection])('can be copied and loaded as it is: $name', (config) => {
    const env = parseEnv(toDotenvExample(config as typeof everySection))
    const checked = checkConfig(config as typeof everySection, { env, dotenv: false })
    expect(checked.report.toText()).toBe(
      `${config.name}: the configuration is valid (profile development)`,
    )
  })

  it('can be uncommented and loaded, except for values that are published', () => {
    const text = toDotenvExample(everySection).replace(/^# ([A-Z_]+=.)/gm, '$1')
    const { report } = checkConfig(everySection, { env: parseEnv(text), dotenv: false })
    expect(report.problems.map(({ path }) => path)).toEqual(['security.encryptionSecret'])
  })

  it('says what each variable is, its default, and what a profile sets', () => {
    const text = toDotenvExample(definition)
    expect(text).toContain('ENVIRONMENT=development')
    expect(text).toContain(
      '# Where to listen | not a column. (default 8000; production 80; also HTTP_PORT)\n# PORT=8000\n',
    )
    expect(text).toContain('# How long. (default 1m5s; test 1s)\n# KEEP_ALIVE=1m5s\n')
    expect(text).toContain('# Limit. (default 100/1m)\nRATE=90/1m\n')
    expect(text).toContain('# A token.\n# TOKEN=\n')
    expect(text).toContain('# A file.\n# LOG_FILE=x.log\n')
  })

  it('sets what is required and has an example, unless what holds it may be left out', () => {
    const name = (env: string) => field(z.string(), { env, description: 'A name.', example: 'x' })
    const schema = z.strictObject({ a: name('A'), b: z.strictObject({ c: name('C') }).optional() })
    const text = toDotenvExample(defineConfig({ name: 'x', schema }))
    expect(text).toContain('# A name. (required)\nA=x\n')
    expect(text).toContain('# A name.\n# C=x\n')
  })

  it('writes values so that they are read back', () => {
    expect(parseEnv(toDotenvExample(definition)).TITLE).toBe(`it's "here" #1`)
  })
})

describe('toMarkdown', () => {
  const page = toMarkdown(definition)

  it('has a row for every value, in records, lists and unions too', () => {
    const keys = [...page.matchAll(/^\| `([^`]+)`/gm)].map(([, key]) => key)
    expect(keys).toEqual([
      'version',
      'limit',
      'token',
      'routes',
      'server.port',
      'server.keepAlive',
      'server.title',
      'log.file',
      'upstreams.<name>.protocol',
      'upstreams.<name>.url',
      'upstreams.<name>.urls',
      'routes[].match',
      'routes[].auth',
      'routes[].cache',
      'routes[].cache.ttl',
      'routes[].budget',
      'routes[].retries',
      'routes[].log',
      'routes[].workers',
      'routes[].hedge',
      'routes[].tier',
    ])
  })

  it('says type, default and what a profile sets', () => {
    expect(page).toContain('## server\n\nThe listener.\n\n| Key |')
    expect(page).toContain(
      '| `server.port` | `PORT`, `HTTP_PORT` | port | `8000`; production `80` | Where to listen \\| not a column. |',
    )
    expect(page).toContain('| `upstreams.<name>.protocol` |  | `openai` or `http` | required |  |')
    expect(page).toContain('| `routes[].cache` |  | `off` or mapping | `off` |  |')
    expect(page).toContain('| `routes[].workers` |  | `auto` or integer |  |  |')
  })
})

describe('toJsonSchema', () => {
  const schema = toJsonSchema(definition)
  const accepts = new Ajv2020({ strict: false, allErrors: true }).compile(schema)

  it.each([
    {},
    { $schema: './demo.schema.json', version: 1 },
    { server: { port: 1, keepAlive: '1m5s', title: 'x' } },
    { server: { port: `\${PORT}`, keepAlive: `\${K:-5s}`, title: `\${T}` } },
    { limit: '40k/1m', token: `\${TOKEN}` },
    { upstreams: { a: { protocol: 'openai', url: 'https://x' } } },
    { upstreams: { a: { protocol: 'http', urls: 'http://a,http://b' } } },
    { upstreams: { a: { protocol: 'http', urls: ['http://a'] } } },
    { routes: [{ match: '/', auth: 'none', cache: 'off', budget: '5%', retries: 3, log: 'yes' }] },
    { routes: [{ match: '/', cache: { ttl: 5000 }, workers: 'auto', hedge: 'off' }] },
  ])('takes %j', (value) => {
    expect(accepts(value) ? [] : accepts.errors).toEqual([])
  })

  it.each([
    { srver: {} },
    { version: 2 },
    { server: { port: 70_000, title: 'x' } },
    { server: { keepAlive: 'soon', title: 'x' } },
    { server: {} },
    { limit: 'often' },
    { upstreams: { 'A b': { protocol: 'http', urls: [] } } },
    { upstreams: { a: { protocol: 'grpc' } } },
    { routes: [{}] },
    { routes: [{ match: '/', auth: 'maybe' }] },
    { routes: [{ match: '/', cache: { tll: '5m' } }] },
    { routes: [{ match: '/', hedge: true }] },
    { routes: [{ match: '/', tier: 'off' }] },
  ])('refuses %j', (value) => {
    expect(accepts(value)).toBe(false)
  })

  it('carries descriptions, examples and defaults as people write them', () => {
    const { properties } = schema as { properties: Record<string, Record<string, unknown>> }
    expect(schema.$schema).toBe('https://json-schema.org/draft/2020-12/schema')
    expect(properties.server).toMatchObject({
      description: 'The listener.',
      properties: {
        keepAlive: { default: '1m5s', description: 'How long.' },
        title: { examples: [`it's "here" #1`] },
      },
    })
    expect(properties.limit).toMatchObject({ default: '100/1m' })
  })

  it('describes all sections', () => {
    expect(() => new Ajv2020({ strict: false }).compile(toJsonSchema(everySection))).not.toThrow()
  })
})
