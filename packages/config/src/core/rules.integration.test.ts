import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { offOr } from '../fields/choices.ts'
import { duration } from '../fields/duration.ts'
import { list, secret } from '../fields/texts.ts'
import { defineConfig, type Rule } from './definition.ts'
import { field } from './field.ts'
import { eachKnown, known } from './known.ts'
import { checkConfig, type LoadOptions } from './load.ts'

const description = 'A value.'
const schema = z.strictObject({
  host: field(z.string().prefault('localhost'), { env: 'HOST', description }),
  admin: field(secret({ minLength: 4 }).optional(), { env: 'ADMIN', description }),
  upstreams: z
    .record(
      z.string().regex(/^[a-z]+$/),
      z.strictObject({ idle: duration().prefault('30s'), weight: z.number().default(1) }),
    )
    .prefault({}),
  routes: z
    .array(
      z.strictObject({
        match: z.string(),
        to: list(z.string().min(1)).prefault([]),
        auth: z.enum(['required', 'none']).optional(),
        cache: offOr(z.strictObject({ ttl: duration(), stale: duration() })).prefault('off'),
      }),
    )
    .prefault([]),
  keys: z.array(z.strictObject({ id: z.string(), tag: z.string().optional() })).prefault([]),
})
type Config = z.output<typeof schema>

const rules: readonly Rule<Config>[] = [
  ({ routes, upstreams }) =>
    eachKnown(routes, ({ to }, index) =>
      eachKnown(to, (name, at) =>
        name in upstreams
          ? []
          : [{ path: ['routes', index, 'to', at], message: `knows no ${name}` }],
      ),
    ),
  ({ routes, upstreams }) => {
    const used = new Set(routes.flatMap(({ to }) => to))
    return Object.keys(upstreams)
      .filter((name) => !used.has(name))
      .map((name) => ({ path: ['upstreams', name], message: 'is not used' }))
  },
  ({ keys, routes }) =>
    keys.length > 0
      ? []
      : eachKnown(routes, ({ auth }, index) =>
          auth === 'required' ? [{ path: ['routes', index], message: 'lets nobody pass' }] : [],
        ),
  ({ keys }) => {
    const ids = eachKnown(keys, ({ id }, index) => [{ id, index }])
    return ids
      .filter(({ id }, at) => ids.findIndex((other) => other.id === id) < at)
      .map(({ index }) => ({ path: ['keys', index], message: 'has the id of another' }))
  },
  ({ host, admin }) =>
    host !== 'localhost' && admin === undefined ? [{ path: ['admin'], message: 'is missing' }] : [],
  ({ host }, { profile }) =>
    host === '*' && profile === 'production' ? [{ path: ['host'], message: 'is any' }] : [],
  ({ routes }) =>
    eachKnown(routes, ({ cache }, index) =>
      cache && cache.stale < 1000
        ? [{ path: ['routes', index, 'cache'], message: 'ages fast' }]
        : [],
    ),
]
const definition = defineConfig({ name: 'demo', schema, refine: rules })

let cwd = ''
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'config-rules-'))
})
afterEach(() => rmSync(cwd, { recursive: true, force: true }))

function check(yaml: string, options: Partial<LoadOptions> = {}) {
  writeFileSync(join(cwd, 'demo.yaml'), yaml)
  return checkConfig(definition, { env: {}, cwd, files: ['demo.yaml'], ...options })
}

function problemsOf(yaml: string, options: Partial<LoadOptions> = {}): string[] {
  return check(yaml, options).report.problems.map(({ path, message }) => `${path}: ${message}`)
}

const idle = expect.stringMatching(/idle: expected a duration/)

describe('rules', () => {
  it('are asked about all that is right beside what is wrong', () => {
    const yaml = `upstreams: { a: { idle: soon } }
routes:
  - { match: 5, to: [a, b] }
  - { match: /x, to: "c, a", auth: nobody }`
    expect(problemsOf(yaml)).toEqual([
      idle,
      'routes[0].match: expected text, got a number; put it in quotes',
      'routes[0].to[1]: knows no b',
      'routes[1].to[0]: knows no c',
      expect.stringContaining('routes[1].auth: expected required or none'),
    ])
  })

  it.each([
    [
      'a bad part of something that is there',
      'upstreams: { a: { idle: x } }\nroutes: [{ match: /, to: a }]',
    ],
    ['something that is wrong as a whole', 'upstreams: { a: 5 }\nroutes: [{ match: /, to: a }]'],
    ['a user that is wrong elsewhere', 'upstreams: { a: {} }\nroutes: [{ match: 5, to: a }]'],
    ['a use that is wrong', 'upstreams: { a: {} }\nroutes: [{ match: /, to: { a: 1 } }]'],
    [
      'a list of which an item is wrong',
      'keys: [{ id: 5 }]\nroutes: [{ match: /, auth: required }]',
    ],
    ['a list that is wrong', 'keys: nonsense\nroutes: [{ match: /, auth: required }]'],
    ['a list under a misspelt name', 'kes: [{ id: a }]\nroutes: [{ match: /, auth: required }]'],
    ['a mapping that is wrong', 'upstreams: [a]\nroutes: [{ match: /, to: a }]'],
    ['a key that stands there twice', 'routes: [{ match: /, to: a, to: b }]'],
    ['ids that are wrong', 'keys: [{ id: 5 }, { id: 5 }]'],
    ['a secret that is too short', 'host: all\nadmin: abc'],
    ['a variable that is not set', `host: all\nadmin: "\${NONE}"`],
    ['a default that did not apply', 'host: { a: 1 }'],
    ['a part of an alternative', 'routes: [{ match: /, cache: { ttl: x, stale: x } }]'],
  ])('say nothing that follows from %s', (_, yaml) => {
    const wrong = yaml.startsWith('keys: [{ id: 5 }, ') || yaml.includes('ttl: x') ? 2 : 1
    const { problems } = check(yaml).report
    expect(problems.map(({ code }) => code)).not.toContain('refused')
    expect(problems).toHaveLength(wrong)
  })

  it('look into an alternative that is partly right', () => {
    expect(problemsOf('routes: [{ match: /, cache: { ttl: x, stale: 1ms } }]')).toEqual([
      'routes[0].cache: ages fast',
      expect.stringContaining('routes[0].cache.ttl'),
    ])
  })

  it('know a mapping by a wrong name too, and its values are checked', () => {
    expect(
      problemsOf('upstreams: { "A 1": { idle: x } }\nroutes: [{ match: /, to: A 1 }]'),
    ).toEqual([
      expect.stringContaining('upstreams["A 1"]: this name is not allowed'),
      expect.stringContaining('upstreams["A 1"].idle: expected a duration'),
    ])
  })

  it('and a wrong environment are reported together', () => {
    const env = { ADMIN: 'abcd', ADMIN_FILE: 'x', HOST: 'all' }
    expect(problemsOf('routes: [{ match: /, to: a }]', { env })).toEqual([
      'routes[0].to[0]: knows no a',
      '(root): ADMIN and ADMIN_FILE are both set; remove one of them',
    ])
  })

  it('are asked only about the environment when a file can not be read', () => {
    const env = { HOST: '*', ADMIN: 'x' }
    for (const yaml of ['routes: [', '- a', 'upstreams: { a: {} }\nkeys: !x []']) {
      const problems = problemsOf(yaml, { env, profile: 'production' })
      expect(problems).toHaveLength(3)
      expect(problems.slice(1)).toEqual([expect.stringMatching(/^admin/), 'host: is any'])
    }
    const needy = defineConfig({ name: 'x', schema: z.strictObject({ needed: z.string() }) })
    const { report } = checkConfig(needy, { env, cwd, files: ['absent.yaml'] })
    expect(report.problems.map(({ message }) => message)).toEqual(['does not exist'])
  })

  it('take nothing for unset that a broken .env may set', () => {
    mkdirSync(join(cwd, '.env'))
    const yaml = `keys: [{ id: "\${ID}" }]\nhost: all`
    expect(problemsOf(yaml)).toEqual(['(root): is a directory, not a regular file'])
    expect(problemsOf('', { env: { HOST: '*' } })).toHaveLength(1)
  })

  it('say of an unknown profile what holds for each', () => {
    const [unknown, ...others] = problemsOf(
      'host: "*"\nadmin: long enough\nroutes: [{ match: 5, to: a }]',
      {
        profile: 'prod',
      },
    ).sort()
    expect(unknown).toContain('unknown profile "prod"')
    expect(others).toEqual([
      'routes[0].match: expected text, got a number; put it in quotes',
      'routes[0].to[0]: knows no a',
    ])
  })

  it('stay silent where the schema refuses the configuration as a whole', () => {
    const strange = schema.superRefine((_, context) => {
      context.addIssue({ code: 'custom', message: 'is strange' })
      context.addIssue({ code: 'custom', message: 'is too', path: ['keys', 0] })
    })
    const broken = defineConfig({ name: 'x', schema: strange, refine: rules })
    writeFileSync(join(cwd, 'x.yaml'), 'keys: [{ id: a }]\nroutes: [{ match: /, to: a }]')
    const { report } = checkConfig(broken, { env: {}, cwd, files: ['x.yaml'] })
    expect(report.problems.map(({ message }) => message)).toEqual(['is strange', 'is too'])
  })

  it('fail as they do anywhere with a fault of their own', () => {
    const faulty = defineConfig({
      name: 'x',
      schema,
      refine: () => {
        throw new RangeError('a fault')
      },
    })
    expect(() => checkConfig(faulty, { env: {}, cwd })).toThrow(RangeError)
  })

  it('find together what they find alone, and nothing more', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...breakages], { minLength: 1 }), (chosen) => {
        const alone = chosen.map((one) => problemsWith([one]))
        const together = problemsWith(chosen)
        for (const problems of alone) expect(problems.length).toBeGreaterThan(0)
        expect(together.sort()).toEqual([...new Set(alone.flat())].sort())
      }),
      { numRuns: 200 },
    )
  })
})

type Tree = z.input<typeof schema>
type Breakage = (tree: Record<string, unknown>) => void

function problemsWith(chosen: readonly Breakage[]): string[] {
  const tree: Tree = {
    upstreams: { a: {}, b: { idle: '1s' }, c: { weight: 2 } },
    routes: [
      { match: '/a', to: ['a', 'b'] },
      { match: '/b', to: ['b', 'c'], auth: 'none' },
      { match: '/c', to: ['c'], cache: { ttl: '1s', stale: '2s' } },
    ],
    keys: [{ id: 'a' }, { id: 'b' }, { id: 'c', tag: 't' }, { id: 'd' }],
  }
  for (const spoil of chosen) spoil(tree)
  return problemsOf(JSON.stringify(tree))
}

/** Sets one value: no two of these set the same, and no rule needs what another one spoils. */
function set(path: readonly (string | number)[], value: unknown): Breakage {
  return (tree) => {
    const parent = path
      .slice(0, -1)
      .reduce<unknown>((at, key) => Reflect.get(Object(at), key), tree)
    Reflect.set(Object(parent), path.at(-1) ?? '', value)
  }
}

const breakages: readonly Breakage[] = [
  ...[set(['host'], 5), set(['hots'], 'x'), set(['admin'], 'x'), set(['keys', 3, 'id'], 'a')],
  ...[set(['upstreams', 'a'], 'x'), set(['upstreams', 'b', 'idle'], 'x')],
  ...[set(['upstreams', 'C'], { idle: 'x' }), set(['upstreams', 'c', 'wight'], 1)],
  ...[set(['routes', 0, 'match'], 5), set(['routes', 0, 'to', 2], 'nobody')],
  ...[set(['routes', 1, 'match'], undefined), set(['routes', 1, 'auth'], 'x')],
  ...[set(['routes', 1, 'to', 2], 'nothing'), set(['routes', 2, 'cache', 'ttl'], 'x')],
  ...[set(['routes', 2, 'cache', 'stale'], '1ms'), set(['routes', 2, 'chache'], 1)],
  ...[set(['keys', 1, 'id'], {}), set(['keys', 2, 'tag'], 5), set(['keys', 2, 'x'], 5)],
]

describe('a draft', () => {
  it('is the configuration when nothing is wrong', () => {
    const checked = check('host: a\nadmin: long enough')
    expect(checked.ok && checked.config).toBe(checked.draft)
  })

  it('gives what is right, frozen, and says why the rest can not be read', () => {
    const { draft } = check('host: 5\nkeys: [{ id: a }, { id: 5 }, 7]')
    expect(Object.isFrozen(draft) && Object.isFrozen(draft.keys)).toBe(true)
    expect(draft.keys).toHaveLength(3)
    expect(() => draft.host).toThrow('host is wrong and has no value; read it within known()')
    expect(known(() => draft.host)).toBeUndefined()
    expect(known(() => draft.upstreams)).toEqual({})
    expect(eachKnown(draft.keys, ({ id }, index) => [id, index])).toEqual(['a', 0])
  })
})
