import { describe, expect, it } from 'vitest'
import { importProblems } from '../rules/imports.ts'
import type { Manifest, Project } from '../workspace.ts'

const project = (dir: string, manifest: Partial<Manifest> = {}): Project => ({
  dir,
  manifest: { name: `@tidegate/${dir.split('/')[1]}`, ...manifest },
})

const all: readonly Project[] = [
  project('packages/leaf', {
    dependencies: { pino: '1', '@tidegate/other': 'workspace:*' },
    peerDependencies: { hono: '4', ioredis: '6' },
    peerDependenciesMeta: { hono: { optional: true } },
    devDependencies: { 'fast-check': '4', '@tidegate/testkit': 'workspace:*' },
  }),
  project('packages/other'),
  project('packages/server', { dependencies: { '@tidegate/leaf': 'workspace:*' } }),
  project('apps/gateway', { dependencies: { '@tidegate/leaf': 'workspace:*' } }),
  project('examples/one', { dependencies: { '@tidegate/gateway': 'workspace:*' } }),
  project('tooling/testkit'),
]

const problems = (path: string, text: string) => importProblems(all, [{ path, text }])

describe('importProblems', () => {
  it.each([
    ['packages/leaf/src/core/a.ts', "import { b } from './b.ts'; import { x } from 'node:fs'"],
    ['packages/leaf/src/core/a.ts', "import pino from 'pino'; import { Redis } from 'ioredis'"],
    ['packages/leaf/src/hono/a.ts', "import { Hono } from 'hono/tiny'"],
    [
      'packages/leaf/src/core/a.test.ts',
      "import fc from 'fast-check'; import { x } from '../index.ts'",
    ],
    ['packages/leaf/src/core/a.test.ts', "import { start } from '@tidegate/testkit'"],
    ['packages/leaf/tsup.config.ts', "import { library } from '../../tooling/tsup/preset.ts'"],
    ['packages/server/src/core/a.ts', "import { x } from '@tidegate/leaf/hono'"],
    ['apps/gateway/src/app.ts', "import { x } from '@tidegate/leaf'"],
  ])('accepts in %s: %s', (path, text) => {
    expect(problems(path, text)).toEqual([])
  })

  it.each([
    ['packages/leaf/src/core/a.ts', "import { Hono } from 'hono'", 'optional peer'],
    ['packages/leaf/src/core/a.ts', "import type { Context } from 'hono'", 'optional peer'],
    ['packages/leaf/src/core/a.ts', "await import('hono/cors')", 'optional peer'],
    [
      'packages/leaf/src/core/a.ts',
      "import { x } from '@tidegate/other'",
      'never import each other',
    ],
    ['packages/leaf/src/core/a.ts', "import { x } from '@tidegate/leaf'", 'import the file'],
    ['packages/leaf/src/core/a.ts', "import { x } from '@tidegate/testkit'", 'for tests only'],
    ['packages/leaf/src/core/a.ts', "import { x } from '../index.ts'", 'never imports a door'],
    [
      'packages/leaf/src/core/a.ts',
      "import { x } from '../../../other/src/core/x.ts'",
      'by its name',
    ],
    ['packages/leaf/src/core/a.ts', "import fc from 'fast-check'", 'declare fast-check'],
    ['packages/leaf/src/core/a.ts', "import { z } from 'zod'", 'declare zod'],
    ['packages/leaf/src/core/a.ts', "import { x } from '../../../../tooling/a.ts'", 'by its name'],
    ['packages/leaf/src/core/a.ts', "export { z } from 'zod'", 'declare zod'],
    ['apps/gateway/src/app.ts', "import { z } from 'zod'", 'declare zod'],
    ['examples/one/main.ts', "import { x } from '@tidegate/gateway'", 'apps are never imported'],
  ])('refuses in %s: %s', (path, text, complaint) => {
    expect(problems(path, text)).toEqual([expect.stringContaining(complaint)])
  })

  it('lets tests and build configurations use what the root declares, and nothing that ships', () => {
    const find = (path: string) =>
      importProblems(all, [{ path, text: "import { x } from 'vitest'" }], ['vitest'])
    expect(find('packages/leaf/src/core/a.test.ts')).toEqual([])
    expect(find('packages/leaf/src/core/a.fixture.ts')).toEqual([])
    expect(find('packages/leaf/tsup.config.ts')).toEqual([])
    expect(find('packages/leaf/src/core/a.ts')).toHaveLength(1)
  })

  it('finds an optional peer that the main door reaches through another room', () => {
    const found = importProblems(all, [
      { path: 'packages/leaf/src/index.ts', text: "export { a } from './core/a.ts'" },
      { path: 'packages/leaf/src/core/a.ts', text: "export { a } from '../web/b.ts'" },
      { path: 'packages/leaf/src/web/b.ts', text: "import { Hono } from 'hono'" },
    ])
    expect(found).toEqual([expect.stringContaining('is reached from packages/leaf/src/index.ts')])
  })

  it.each(['process.env.A', 'process.on("SIGTERM", f)', 'process.exit(1)', 'process.argv[2]'])(
    'keeps %s to the start of an app',
    (text) => {
      expect(problems('packages/leaf/src/core/a.ts', text)).toHaveLength(1)
      expect(problems('apps/gateway/src/app.ts', text)).toHaveLength(1)
      expect(problems('apps/gateway/src/main.ts', text)).toEqual([])
      expect(problems('apps/gateway/src/cli.ts', text)).toEqual([])
      expect(problems('apps/gateway/src/cli/start.ts', text)).toEqual([])
      expect(problems('packages/leaf/src/core/a.test.ts', text)).toEqual([])
    },
  )

  it('finds the process under its module name, and leaves its harmless parts alone', () => {
    const path = 'packages/leaf/src/core/a.ts'
    expect(problems(path, "import { env } from 'node:process'")).toHaveLength(1)
    expect(problems(path, 'process.memoryUsage(); process.nextTick(f)')).toEqual([])
    expect(problems(path, "process.on('exit', flush)")).toEqual([])
    expect(problems(path, '// process.env is read by the app\nconst s = "process.exit"')).toEqual(
      [],
    )
  })
})
