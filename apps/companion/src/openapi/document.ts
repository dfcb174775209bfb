import { readFile } from 'node:fs/promises'
import type { OpenAPIHono } from '@hono/zod-openapi'
import { ServerError } from '@tidegate/server'
import type { MiddlewareHandler } from 'hono'
import type { CompanionEnv } from '../env.ts'

/** The files of the page at `/docs`. */
export interface DocsPage {
  readonly html: string
  readonly script: string
  readonly style: string
}

/** Reads the page from a folder. */
export async function readDocsPage(folder: URL): Promise<DocsPage> {
  const read = (name: string): Promise<string> => readFile(new URL(name, folder), 'utf8')
  const [html, script, style] = await Promise.all([
    read('page.html'),
    read('page.js'),
    read('page.css'),
  ])
  return { html, script, style }
}

const POLICY = [
  ...["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'"],
  ...["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"],
].join('; ')

const HEADERS = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-cache',
}

/** Serves `/openapi.json`, made of what is mounted, and the page that shows it at `/docs`. */
export function mountDocument(
  app: OpenAPIHono<CompanionEnv>,
  version: string,
  page: DocsPage,
): void {
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    description: 'A key of this companion.',
  })
  app.openAPIRegistry.registerComponent('securitySchemes', 'apiKey', {
    ...{ type: 'apiKey', in: 'header', name: 'x-api-key' },
    description: 'The same key, for those who can not send Authorization.',
  })
  let document: string | undefined
  const files: readonly (readonly [path: string, type: string, text: () => string])[] = [
    [
      '/openapi.json',
      'application/json',
      () => {
        document ??= JSON.stringify(makeDocument(app, version))
        return document
      },
    ],
    ['/docs', 'text/html; charset=utf-8', () => page.html],
    ['/docs/page.js', 'text/javascript; charset=utf-8', () => page.script],
    ['/docs/page.css', 'text/css; charset=utf-8', () => page.style],
  ]
  for (const [path, type, text] of files) {
    app.all(path, readOnly(path), (c) => c.body(text(), 200, { 'content-type': type, ...HEADERS }))
  }
}

function makeDocument(app: OpenAPIHono<CompanionEnv>, version: string): object {
  return app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Tidegate companion',
      version,
      description: 'Keys, setup configurations and the audit log of a Tidegate gateway.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    // Relative to the document, so that it is right behind a gateway's prefix, too.
    servers: [{ url: '.', description: 'The companion that this was read from' }],
    tags: [
      { name: 'keys', description: 'API keys of a tenant' },
      { name: 'setup', description: 'Named settings of providers and services, secrets sealed' },
      { name: 'health', description: 'How the companion stands' },
      { name: 'operations', description: 'For those who run it' },
    ],
  })
}

function readOnly(path: string): MiddlewareHandler<CompanionEnv> {
  return (c, next) => {
    const { method } = c.get('exchange')
    c.get('exchange').route = path
    if (method === 'GET' || method === 'HEAD') return next()
    throw new ServerError('method_not_allowed', 'This can only be read.', {
      facts: { allow: 'GET, HEAD' },
    })
  }
}
