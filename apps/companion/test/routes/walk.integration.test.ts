import { temporaryFolder } from '@tidegate/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answered, type Asking, ask, keyWith } from '../client.fixture.ts'
import {
  ADMIN_KEY,
  run,
  SEVERAL_STARTS_MS,
  startOn,
  type TestCompanion,
} from '../companion.fixture.ts'

interface Described {
  readonly method: string
  readonly path: string
  readonly scope: string | undefined
  readonly hasBody: boolean
  readonly id: string
}

const READS = ['keys:read', 'setup:read', 'audit:read', 'health:read', 'metrics:read']
const WRITES = [...READS, 'keys:write', 'setup:write', 'setup:reveal']

/** Who walks: by the name of their key, if they have one. */
type Walker = 'stranger' | 'liar' | 'nobody' | 'reader' | 'writer' | 'admin' | 'other'

const folder = await temporaryFolder('companion')
let companion: TestCompanion
const keys: Partial<Record<Walker, string>> = {}
let routes: readonly Described[] = []

beforeAll(async () => {
  const made = await run(['keys', 'create', '--admin', '--tenant', 'other'], folder.path)
  keys.other = made.stdout.trim()
  companion = await startOn(folder.path, { ADMIN_KEY })
  keys.admin = ADMIN_KEY
  keys.liar = `${keys.other.slice(0, -1)}${keys.other.endsWith('x') ? 'y' : 'x'}`
  keys.nobody = (await keyWith(companion, [])).key
  keys.reader = (await keyWith(companion, READS)).key
  keys.writer = (await keyWith(companion, WRITES)).key
  routes = describedBy((await ask(companion, 'GET', '/openapi.json', { key: null })).body.paths)
}, SEVERAL_STARTS_MS)
afterAll(async () => {
  await companion[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

function describedBy(paths: unknown): readonly Described[] {
  return Object.entries(Object(paths)).flatMap(([path, methods]) =>
    Object.entries(Object(methods)).map(([method, operation]) => {
      const { operationId, requestBody, 'x-required-scope': scope } = Object(operation)
      const hasBody = requestBody !== undefined
      return { method: method.toUpperCase(), path, scope, hasBody, id: String(operationId) }
    }),
  )
}

const STRANGE_IDS: Readonly<Record<string, string>> = {
  '/api/v1/keys': 'AAAAAAAAAAAA',
  '/api/v1/setup-configurations': '00000000-0000-4000-8000-000000000000',
}

/** Makes something of the tenant whose id the path takes. */
async function idFor(path: string): Promise<string> {
  if (path.startsWith('/api/v1/keys')) return (await keyWith(companion, ['keys:read'])).id
  const body = { name: `walked-${crypto.randomUUID()}`, provider: 'custom', secrets: { a: 'b' } }
  const { body: made } = await ask(companion, 'POST', '/api/v1/setup-configurations', { body })
  return String(made.id)
}

function bodyFor({ method, path }: Described): object {
  if (path.endsWith('/rotate')) return { overlap_seconds: 60 }
  const name = `n-${crypto.randomUUID()}`
  if (method === 'PATCH') return { name }
  return path.startsWith('/api/v1/keys') ? { name } : { name, provider: 'custom' }
}

async function walk(route: Described, walker: Walker, id?: string): Promise<Answered> {
  const asking: Asking = {
    key: keys[walker] ?? null,
    headers: { 'if-match': '*' },
    ...(route.hasBody && { body: bodyFor(route) }),
  }
  const target = route.path.replace('{id}', id ?? (await idFor(route.path)))
  return await ask(companion, route.method, target, asking)
}

const guarded = (): readonly Described[] => routes.filter(({ scope }) => scope !== undefined)

describe('every route that the document names', () => {
  it('is of a scope, unless it tells nothing but how the companion stands', () => {
    const open = routes.filter(({ scope }) => scope === undefined).map(({ path }) => path)
    expect(open.sort()).toEqual([
      ...['/api/v1/health', '/api/v1/health/live', '/api/v1/health/ready'],
      ...['/health', '/livez', '/readyz'],
    ])
    expect(guarded().length).toBeGreaterThan(10)
  })

  it.each(['stranger', 'liar'] as const)('is closed to a %s', async (walker) => {
    for (const route of guarded()) {
      const { status, headers, body } = await walk(route, walker, 'x')
      expect([route.id, status]).toEqual([route.id, 401])
      expect(headers.get('www-authenticate')).toMatch(/^Bearer/)
      expect(body.code).toBe(walker === 'liar' ? 'invalid_api_key' : 'missing_api_key')
    }
  })

  it('is closed to a key without its scope', async () => {
    for (const route of guarded()) {
      const { status, body } = await walk(route, 'nobody', 'x')
      expect([route.id, status]).toEqual([route.id, 403])
      expect(body.detail).toContain(route.scope)
    }
  })

  it('lets a reader read and change nothing', async () => {
    for (const route of guarded()) {
      const { status } = await walk(route, 'reader')
      const expected = route.scope?.endsWith(':read') === true ? 200 : 403
      expect([route.id, status]).toEqual([route.id, expected])
    }
  })

  it.each(['writer', 'admin'] as const)('lets a %s do what it is for', async (walker) => {
    for (const route of guarded()) {
      const { status } = await walk(route, walker)
      expect([route.id, Math.floor(status / 100)]).toEqual([route.id, 2])
    }
  })

  it('shows nothing of a tenant to another, and touches nothing of it', async () => {
    for (const route of guarded().filter(({ path }) => path.includes('{id}'))) {
      const id = await idFor(route.path)
      const theirs = await walk(route, 'other', id)
      const [base = ''] = route.path.split('/{id}')
      const nobodys = await walk(route, 'other', STRANGE_IDS[base] ?? 'x')
      expect([route.id, theirs.status]).toEqual([route.id, 404])
      // It can't be told from what isn't there.
      const { instance: _, request_id: __, ...said } = theirs.body
      expect(nobodys.body).toMatchObject(said)
      expect((await ask(companion, 'GET', `${base}/${id}`)).status).toBe(200)
    }
    const lists = guarded().filter(({ method, path }) => method === 'GET' && /s$/.test(path))
    for (const route of lists.filter(({ path }) => path.startsWith('/api/v1/'))) {
      if (route.path.includes('{id}')) continue
      await idFor(route.path)
      const { body } = await walk(route, 'other', 'x')
      expect(JSON.stringify(body)).not.toContain('walked-')
    }
  })
})
