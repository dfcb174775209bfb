import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { boolean, choice, notBuiltYet, offOr } from '../fields/choices.ts'
import { duration } from '../fields/duration.ts'
import { integer, port } from '../fields/numbers.ts'
import { httpUrl, list, secret } from '../fields/texts.ts'
import { defineConfig } from './definition.ts'
import { ConfigError, isConfigError } from './errors.ts'
import { field } from './field.ts'
import { checkConfig, type LoadOptions, loadConfig } from './load.ts'
import { Secret } from './secret.ts'

const description = 'A value.'
const upstream = z.discriminatedUnion('protocol', [
  z.strictObject({
    protocol: z.literal('openai'),
    endpoints: z.array(
      z.strictObject({ url: httpUrl(), apiKey: secret({ minLength: 8 }).optional() }),
    ),
    timeouts: z.strictObject({ idle: duration().prefault('30s') }).prefault({}),
  }),
  z.strictObject({ protocol: z.literal('http'), url: httpUrl() }),
])
const definition = defineConfig({
  name: 'demo',
  schema: z.strictObject({
    server: z
      .strictObject({
        host: field(z.string().prefault('127.0.0.1'), { env: ['HOST', 'DEMO_HOST'], description }),
        port: field(port().prefault(8000), {
          env: 'PORT',
          description,
          profiles: { production: 80 },
        }),
        workers: field(z.union([choice(['auto']), integer({ min: 1 })]).prefault(1), {
          env: 'WORKERS',
          description,
        }),
        debug: field(boolean().default(false), { env: 'DEBUG', description }),
      })
      .prefault({}),
    adminKey: field(secret({ minLength: 8 }).optional(), { env: 'ADMIN_KEY', description }),
    origins: field(list(httpUrl()).prefault([]), { env: 'CORS_ORIGINS', description }),
    upstreams: z.record(z.string(), upstream).prefault({}),
    routes: z
      .array(
        z.strictObject({
          match: z.string(),
          cache: offOr(z.strictObject({ ttl: duration() })).prefault('off'),
          coalesce: notBuiltYet({ capability: 'coalescing' }),
        }),
      )
      .prefault([]),
    labels: z.record(z.string(), z.string()).prefault({}),
  }),
  profiles: { production: { server: { workers: 'auto' } }, test: { server: { port: 0 } } },
  refine: ({ routes, server }, { profile }) => [
    ...(routes.length > 2 ? [{ path: ['routes', 2], message: 'is one route too many' }] : []),
    ...(server.debug && profile === 'production'
      ? [{ path: ['server', 'debug'], message: 'is dangerous', severity: 'warning' as const }]
      : []),
  ],
})

let cwd = ''
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'config-'))
})
afterEach(() => rmSync(cwd, { recursive: true, force: true }))

function write(name: string, text: string | Uint8Array): string {
  mkdirSync(dirname(join(cwd, name)), { recursive: true })
  writeFileSync(join(cwd, name), text)
  return name
}

function check(options: Partial<LoadOptions> & { yaml?: string } = {}) {
  const { yaml, ...rest } = options
  const files = yaml === undefined ? [] : [write('demo.yaml', yaml)]
  return checkConfig(definition, { env: {}, cwd, files, ...rest })
}

function configOf(options: Parameters<typeof check>[0]) {
  const checked = check(options)
  if (!checked.ok) throw new Error(checked.report.toText())
  return checked.config
}

function linesOf(options: Parameters<typeof check>[0]): string[] {
  return check(options).report.toText().split('\n').slice(1)
}

describe('loadConfig', () => {
  it('needs nothing but the schema', () => {
    const { config, profile, report } = loadConfig(definition, { env: {}, cwd })
    expect(profile).toBe('development')
    expect(config.server).toEqual({ host: '127.0.0.1', port: 8000, workers: 1, debug: false })
    expect(report.toText()).toBe('demo: the configuration is valid (profile development)')
  })

  it('throws everything that is wrong as one error', () => {
    const load = () => loadConfig(definition, { env: { PORT: 'x', DEBUG: 'perhaps' }, cwd })
    expect(load).toThrow(ConfigError)
    try {
      load()
    } catch (error) {
      expect(isConfigError(error) && error.problems.map(({ path }) => path)).toEqual([
        'server.port',
        'server.debug',
      ])
      expect(isConfigError(error) && error.message).toBe(
        isConfigError(error) && error.report.toText(),
      )
    }
    expect(isConfigError(new Error('x'))).toBe(false)
  })

  it('freezes the configuration at every depth', () => {
    const config = configOf({ yaml: 'routes: [{ match: /a }]\norigins: [http://a]' })
    expect(Object.isFrozen(config)).toBe(true)
    expect(Object.isFrozen(config.server)).toBe(true)
    expect(Object.isFrozen(config.routes[0])).toBe(true)
    expect(Object.isFrozen(config.origins)).toBe(true)
  })

  it('leaves the environment it was given alone', () => {
    const env = Object.freeze({ PORT: '81' })
    write('.env', 'HOST=dotenv')
    expect(configOf({ env }).server).toMatchObject({ port: 81, host: 'dotenv' })
  })
})

describe('precedence', () => {
  it('is defaults, profile, files, .env, environment, secret files', () => {
    const server = (options: Parameters<typeof check>[0]) => configOf(options).server.port
    expect(server({})).toBe(8000)
    expect(server({ profile: 'production' })).toBe(80)
    const yaml = 'server: { port: 81 }'
    expect(server({ profile: 'production', yaml })).toBe(81)
    const later = write('later.json', '{"server": {"port": 82}}')
    const files = ['demo.yaml', later]
    expect(server({ files })).toBe(82)
    write('.env', 'PORT=83')
    expect(server({ files })).toBe(83)
    expect(server({ files, dotenv: false })).toBe(82)
    expect(server({ files, env: { PORT: '84' } })).toBe(84)
    write('secrets/port', '85\n')
    expect(server({ files, env: { PORT_FILE: 'secrets/port' } })).toBe(85)
  })

  it('merges mappings key by key and replaces lists', () => {
    const first = write('a.yaml', 'labels: { a: "1", b: "2" }\norigins: [http://a, http://b]')
    const second = write('b.yaml', 'labels: { b: "3" }\norigins: [http://c]')
    const config = configOf({ files: [first, second] })
    expect(config.labels).toEqual({ a: '1', b: '3' })
    expect(config.origins).toEqual(['http://c'])
  })

  it('takes an empty value for none, in every layer', () => {
    const yaml = `server: { port: "", host: ~, workers: "\${W:-}" }\nlabels:\norigins: ["", http://a]`
    const config = configOf({ yaml, env: { WORKERS: '', PORT: '', W: '' }, profile: 'test' })
    expect(config.server).toMatchObject({ port: 0, host: '127.0.0.1', workers: 1 })
    expect(config.origins).toEqual(['http://a'])
  })

  it('reads "false" as false', () => {
    expect(configOf({ env: { DEBUG: 'false' } }).server.debug).toBe(false)
    expect(configOf({ yaml: 'server: { debug: "false" }' }).server.debug).toBe(false)
  })

  it('knows where every value comes from', () => {
    write('.env', 'HOST=h')
    write('key', 'long enough')
    const { report } = check({
      yaml: 'routes:\n  - match: /a',
      env: { WORKERS: '2', ADMIN_KEY_FILE: 'key' },
      profile: 'production',
    })
    const origins = Object.fromEntries(report.origins.map(({ path, source }) => [path, source]))
    expect(origins).toEqual({
      'server.host': { kind: 'env', name: 'HOST', file: '.env' },
      'server.port': { kind: 'profile', profile: 'production' },
      'server.workers': { kind: 'env', name: 'WORKERS' },
      'server.debug': { kind: 'default' },
      adminKey: { kind: 'env', name: 'ADMIN_KEY', file: 'key' },
      origins: { kind: 'default' },
      'routes[0].match': { kind: 'file', file: 'demo.yaml', line: 2, column: 12 },
    })
  })
})

describe('profile', () => {
  it('comes from the option, the environment or .env', () => {
    write('.env', 'ENVIRONMENT=staging')
    expect(check().profile).toBe('staging')
    expect(check({ env: { ENVIRONMENT: 'production' } }).profile).toBe('production')
    expect(check({ env: { ENVIRONMENT: 'production' }, profile: 'test' }).profile).toBe('test')
  })

  it('must be one of four', () => {
    expect(linesOf({ env: { ENVIRONMENT: 'prod' } })).toEqual([
      'ENVIRONMENT  unknown profile "prod": expected development, test, staging or production',
      '  did you mean "production"?',
    ])
    expect(check({ profile: 'producton' }).report.problems[0]?.suggestion).toBe('production')
  })
})

describe('a file', () => {
  it('has every problem reported with line, column and what was probably meant', () => {
    const yaml = `servr: {}
server:
  port: 99999
  workers: automatic
  hots: x
adminKey: short
upstreams:
  a: { protocol: opnai }
  b:
    protocol: openai
    endpoints: [{ ulr: "http://x" }]
    timeouts: { idle: abc }
  c:
routes:
  - { match: /v1, cache: { ttl: soon }, coalesce: true }
  - cache: 5
origins: http://a, nope
labels: { a: 1 }
`
    expect(linesOf({ yaml, env: { WORKER: '1' } })).toEqual([
      'demo.yaml:1:1  servr: unknown key',
      '  did you mean "server"?',
      'demo.yaml:3:9  server.port: expected a port from 0 to 65535, got 99999',
      'demo.yaml:4:12  server.workers: expected auto or a whole number of at least 1, got "automatic"',
      'demo.yaml:5:3  server.hots: unknown key',
      '  did you mean "host"?',
      'demo.yaml:6:11  adminKey: expected a secret of at least 8 characters, got one of 5',
      'demo.yaml:8:18  upstreams.a.protocol: expected openai or http, got "opnai"',
      '  did you mean "openai"?',
      'demo.yaml:11:17  upstreams.b.endpoints[0].url: is required: expected an address such as https://api.example.com',
      'demo.yaml:11:19  upstreams.b.endpoints[0].ulr: unknown key',
      '  did you mean "url"?',
      'demo.yaml:12:23  upstreams.b.timeouts.idle: expected a duration such as 30s, got "abc"',
      'demo.yaml:13:3  upstreams.c: has no value: expected a mapping of keys to values',
      'demo.yaml:15:33  routes[0].cache.ttl: expected a duration such as 30s, got "soon"',
      'demo.yaml:15:51  routes[0].coalesce: coalescing is not built yet; leave it out or set it to off',
      'demo.yaml:16:5  routes[1].match: is required: expected text',
      'demo.yaml:16:12  routes[1].cache: expected off or a mapping of keys to values, got 5',
      'demo.yaml:17:10  origins[1]: expected an address such as https://api.example.com',
      'demo.yaml:18:14  labels.a: expected text, got a number; put it in quotes',
      'WORKER  warning: nothing reads the variable WORKER',
      '  did you mean "WORKERS"?',
    ])
  })

  it('gives its problems as data too', () => {
    const { report } = check({ yaml: 'server:\n  prot: 1' })
    expect(JSON.parse(JSON.stringify(report))).toMatchObject({
      name: 'demo',
      profile: 'development',
      warnings: [],
      problems: [
        {
          code: 'unknown_key',
          path: 'server.prot',
          suggestion: 'port',
          source: { kind: 'file', file: 'demo.yaml', line: 2, column: 3 },
        },
      ],
    })
  })

  it('points at the file that is wrong when several are merged', () => {
    const files = [
      write('a.yaml', 'server: { port: x }'),
      write('b.yaml', '\nserver: { host: [] }'),
    ]
    expect(linesOf({ files })).toEqual([
      'a.yaml:1:17  server.port: expected a port from 0 to 65535, got "x"',
      'b.yaml:2:17  server.host: expected text, got a list',
    ])
  })

  it('keeps its own mistake when a variable sets a key below it', () => {
    expect(linesOf({ yaml: 'server: nonsense', env: { PORT: '81' } })).toEqual([
      'demo.yaml:1:9  server: expected a mapping of keys to values, got text',
    ])
  })

  it('must exist, be a regular file, be text and not be huge', () => {
    mkdirSync(join(cwd, 'folder'))
    write('binary', new Uint8Array([97, 58, 0, 49]))
    write('latin1', new Uint8Array([97, 58, 32, 0xe9]))
    write('huge', `a: ${'x'.repeat(1024 * 1024)}`)
    const files = ['gone', 'folder', 'binary', 'latin1', 'huge', '/dev/zero']
    expect(linesOf({ files })).toEqual([
      'gone:1:1  does not exist',
      'folder:1:1  is a directory, not a regular file',
      'binary:1:1  holds binary data (a NUL byte), not text',
      'latin1:1:1  is not UTF-8 text',
      'huge:1:1  is larger than 1 MB',
      '/dev/zero:1:1  is a pipe, a socket or a device, not a regular file',
    ])
  })

  it('may begin with a byte order mark', () => {
    expect(configOf({ yaml: '\uFEFFserver: { port: 1 }' }).server.port).toBe(1)
  })

  it.skipIf(process.getuid?.() === 0)('says when it may not be read', () => {
    chmodSync(join(cwd, write('closed.yaml', 'a: 1')), 0)
    expect(linesOf({ files: ['closed.yaml'] })).toEqual([
      "closed.yaml:1:1  can't be read: permission denied; let the process read it",
    ])
  })

  it('does not touch prototypes', () => {
    const yaml =
      '{"__proto__": {"polluted": true}, "labels": {"constructor": "x", "toString": "y"}}'
    expect(check({ yaml }).report.problems.map(({ message }) => message)).toEqual([
      'a key must be plain text',
    ])
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
    expect(configOf({ yaml: 'labels: { constructor: x }' }).labels).toEqual({ constructor: 'x' })
  })
})

describe('variables in files', () => {
  it('are expanded in values, from the environment, .env and secret files', () => {
    write('.env', 'FROM_DOTENV=two')
    write('three', 'three\n')
    const yaml = `labels: { a: "\${ONE}", b: "x-\${FROM_DOTENV}", c: "\${THREE}", d: "\${NONE:-four}", "\${ONE}": k, e: "$\${ONE}" }`
    expect(configOf({ yaml, env: { ONE: 'one', THREE_FILE: 'three' } }).labels).toEqual({
      a: 'one',
      b: 'x-two',
      c: 'three',
      d: 'four',
      '${ONE}': 'k',
      e: `\${ONE}`,
    })
  })

  it('are read by fields like any text', () => {
    expect(configOf({ yaml: `server: { port: "\${P}" }`, env: { P: '81' } }).server.port).toBe(81)
  })

  it('can not bring in structure, whatever they hold', () => {
    const awkward = fc.constantFrom(...`\${}:-ab '"\n#*&!|>%@,[]\\\0é😀`)
    const hook = fc.constantFrom('\nserver: { port: 1 }', '", "b": "', `\${PATH}`, '*a', '# ', ': ')
    fc.assert(
      fc.property(fc.string({ unit: awkward }), hook, (noise, hooked) => {
        const X = noise + hooked
        const config = configOf({
          yaml: `labels: { a: "\${X}", b: fixed }`,
          env: { X, PATH: '/x' },
        })
        expect(config.labels).toEqual({ a: X, b: 'fixed' })
        expect(config.server.port).toBe(8000)
      }),
      { numRuns: 50 },
    )
  })

  it('must be set and well formed', () => {
    const yaml = `labels:\n  a: "\${NONE}"\n  b: "\${ NONE }"\nserver: { host: "\${NONE}:\${OTHER}" }`
    expect(linesOf({ yaml, env: { NONE: '' } })).toEqual([
      `demo.yaml:2:6  labels.a: the variable NONE is not set; set it, or write \${NONE:-default}`,
      `demo.yaml:3:6  labels.b: malformed variable: expected a name in braces, with or without :-default; write $\${ for the characters $ and {`,
      `demo.yaml:4:17  server.host: the variable NONE is not set; set it, or write \${NONE:-default}`,
      `demo.yaml:4:17  server.host: the variable OTHER is not set; set it, or write \${OTHER:-default}`,
    ])
  })

  it('are named, not shown, when what they hold is wrong', () => {
    expect(linesOf({ yaml: `server: { port: "\${P}" }`, env: { P: 'canary' } })).toEqual([
      `demo.yaml:1:17  server.port: expected a port from 0 to 65535, got what "\${P}" expands to`,
    ])
  })
})

describe('the environment', () => {
  it('is pointed at by the variable', () => {
    write('.env', 'HOST=x\nDEBUG=perhaps')
    expect(linesOf({ env: { PORT: '-1' } })).toEqual([
      'PORT  server.port: expected a port from 0 to 65535, got "-1"',
      'DEBUG (.env)  server.debug: expected true or false, got "perhaps"',
    ])
  })

  it('takes the first of several names, and refuses that they disagree', () => {
    expect(configOf({ env: { DEMO_HOST: 'b' } }).server.host).toBe('b')
    expect(configOf({ env: { HOST: 'a', DEMO_HOST: 'a' } }).server.host).toBe('a')
    expect(linesOf({ env: { HOST: 'a', DEMO_HOST: 'b' } })).toEqual([
      'DEMO_HOST  server.host: HOST and DEMO_HOST set the same value differently; remove one of them',
    ])
  })

  it('warns of names that are a slip away from one that is read', () => {
    const env = { ADMIN_KEYS: 'x', CORS_ORIGIN: 'x', HOME: '/root', ENVIROMENT: 'x' }
    const warnings = check({ env }).report.warnings
    expect(warnings.map(({ source, suggestion }) => [source, suggestion])).toEqual([
      [{ kind: 'env', name: 'ADMIN_KEYS' }, 'ADMIN_KEY'],
      [{ kind: 'env', name: 'CORS_ORIGIN' }, 'CORS_ORIGINS'],
      [{ kind: 'env', name: 'ENVIROMENT' }, 'ENVIRONMENT'],
    ])
    expect(check({ env }).ok).toBe(true)
  })

  it('must have the .env file that was asked for, and can do without the usual one', () => {
    expect(linesOf({ dotenv: 'other.env' })).toEqual(['other.env:1:1  does not exist'])
    expect(check().ok).toBe(true)
    mkdirSync(join(cwd, '.env'))
    expect(linesOf({})).toEqual(['.env:1:1  is a directory, not a regular file'])
  })
})

describe('secret files', () => {
  it('lose one line break at their end', () => {
    write('key', 'eight chars \n\n')
    expect(configOf({ env: { ADMIN_KEY_FILE: 'key' } }).adminKey?.reveal()).toBe('eight chars \n')
  })

  it('can not stand beside the value itself', () => {
    write('key', 'canary-canary')
    const lines = linesOf({ env: { ADMIN_KEY: 'canary-canary', ADMIN_KEY_FILE: 'key' } })
    expect(lines).toEqual([
      'ADMIN_KEY  ADMIN_KEY and ADMIN_KEY_FILE are both set; remove one of them',
    ])
  })

  it('must exist and hold something, and are complained of once', () => {
    write('empty', '\n')
    const yaml = `adminKey: "\${ADMIN_KEY}"`
    expect(linesOf({ yaml, env: { ADMIN_KEY_FILE: 'gone' } })).toEqual([
      'ADMIN_KEY (gone)  the file that ADMIN_KEY_FILE names does not exist',
    ])
    expect(linesOf({ env: { ADMIN_KEY_FILE: 'empty' } })).toEqual([
      'ADMIN_KEY (empty)  the file that ADMIN_KEY_FILE names is empty',
    ])
  })

  it('win over .env, which is the lower layer', () => {
    write('.env', 'ADMIN_KEY=from dotenv')
    write('key', 'from a file')
    expect(configOf({ env: { ADMIN_KEY_FILE: 'key' } }).adminKey?.reveal()).toBe('from a file')
  })
})

describe('refine', () => {
  it('finds what no single value shows, and is told where that is', () => {
    const yaml = 'routes:\n  - match: /a\n  - match: /b\n  - match: /c'
    expect(linesOf({ yaml })).toEqual(['demo.yaml:4:5  routes[2]: is one route too many'])
  })

  it('can warn', () => {
    const checked = check({ env: { DEBUG: '1' }, profile: 'production' })
    expect(checked.ok).toBe(true)
    expect(checked.report.toText().split('\n')[1]).toBe(
      'DEBUG  warning: server.debug: is dangerous',
    )
  })
})

describe('secrets', () => {
  const canary = 'CANARY-7f3a'

  it('show up in no report, whatever is wrong with them', () => {
    write('.env', `ADMIN_KEY=${canary.slice(0, 7)}`)
    write('key', canary.slice(0, 7))
    const url = `ftp://user:${canary}@host/?key=${canary}`
    const yamls = [
      `adminKey: ["${canary}"]`,
      `adminKey: { ${canary}: 1 }`.replace(canary, 'x'),
      `upstreams: { a: { protocol: openai, endpoints: [{ url: "${url}", apiKey: "${canary.slice(0, 7)}" }] } }`,
      `upstreams: { a: { protocol: openai, endpoints: [{ url: "https://u:${canary}@ho st" }] } }`,
      `adminKey: "${canary}" x`,
      `adminKey: "${canary}\n`,
      `adminKey: "\${"\nlabels: { a: "${canary}\${" }`,
      `server: { port: "\${C}", debug: "\${C}", workers: "\${C}" }`,
      `routes: "${canary}"`,
    ]
    for (const yaml of yamls) {
      const { report, ok } = check({ yaml, env: { C: canary } })
      expect(ok).toBe(false)
      const printed = [
        report.toText(),
        JSON.stringify(report),
        inspect(report, { depth: 9 }),
      ].join()
      expect(printed).not.toContain(canary.slice(0, 7))
    }
  })

  it('do not show in a configuration that is printed', () => {
    const config = configOf({ env: { ADMIN_KEY: canary } })
    expect(config.adminKey).toBeInstanceOf(Secret)
    expect(inspect(config) + JSON.stringify(config)).not.toContain(canary)
  })
})

describe('defineConfig', () => {
  it('refuses a variable where the path is not fixed', () => {
    const inner = z.strictObject({ key: field(z.string(), { env: 'KEY', description }) })
    const define = (schema: z.ZodType) =>
      defineConfig({ name: 'x', schema: z.strictObject({ a: schema }) })
    expect(() => define(z.record(z.string(), inner))).toThrow(/^a\["<name>"\]\.key can have no env/)
    expect(() => define(z.array(inner))).toThrow(TypeError)
    expect(() => define(offOr(inner))).toThrow(TypeError)
    expect(() => define(field(inner, { env: 'A', description }))).toThrow(TypeError)
    expect(() => define(inner.optional())).not.toThrow()
  })
})
