import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Scene } from './scenes.ts'

const dist = fileURLToPath(new URL('../dist', import.meta.url))

/** The policy that the gateway serves the page with. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
  "font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
}

/** Plays a gateway to the page: its files, its session, its figures out of a scene that a test may change. */
export class ScriptedGateway {
  scene: Scene
  /** Without one, no login is needed. */
  key: string | undefined
  /** What a proxy that keeps streams to itself makes of them. */
  streams: 'flow' | 'silent' | 'refused' = 'flow'
  /** While set, every question but the page's own files is answered with this status. */
  broken: number | undefined
  readonly paths: string[] = []
  readonly #sessions = new Set<string>()
  readonly #followers = new Set<ServerResponse>()
  readonly #server: Server
  #port = 0

  private constructor(scene: Scene) {
    this.scene = scene
    this.#server = createServer((request, response) => void this.#answer(request, response))
  }

  static async start(scene: Scene): Promise<ScriptedGateway> {
    const gateway = new ScriptedGateway(scene)
    await gateway.comeBack()
    return gateway
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/dashboard/`
  }

  /** Is gone: connections end, and nobody listens. */
  async goAway(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.#server.closeAllConnections()
    await closed
  }

  /** Listens where it did before. */
  async comeBack(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(this.#port, '127.0.0.1', resolve)
    })
    this.#port = (this.#server.address() as AddressInfo).port
  }

  endSessions(): void {
    this.#sessions.clear()
    for (const follower of this.#followers) follower.destroy()
  }

  /** Tells a sample to all that follow. */
  tell(values: Readonly<Record<string, number | null>>, t = Date.now()): void {
    for (const follower of this.#followers) follower.write(event(t, values))
  }

  get followers(): number {
    return this.#followers.size
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://gateway')
    this.paths.push(`${request.method} ${pathname}`)
    if (/^\/dashboard\/?$/.test(pathname)) return serveFile(response, 'index.html')
    if (pathname.startsWith('/dashboard/assets/')) {
      return serveFile(response, pathname.slice('/dashboard/'.length))
    }
    if (this.broken !== undefined) {
      response.writeHead(this.broken, { 'content-type': 'text/html' }).end('<h1>Bad gateway</h1>')
      return
    }
    if (pathname === '/dashboard/login') return this.#login(request, response)
    if (pathname === '/dashboard/session') return this.#session(request, response)
    if (pathname === '/readyz') {
      const draining = this.scene.draining
      return json(response, { status: draining ? 'draining' : 'ready' }, draining ? 503 : 200)
    }
    if (!this.#knows(request)) return json(response, { code: 'admin_key_required' }, 401)
    if (pathname === '/dashboard/logout') return this.#logout(request, response)
    if (pathname === '/metrics/stream') return this.#follow(response)
    const body = this.#body(pathname, searchParams)
    return body === undefined ? json(response, { code: 'not_found' }, 404) : json(response, body)
  }

  #body(pathname: string, query: URLSearchParams): unknown {
    const { scene } = this
    const bodies: Readonly<Record<string, () => unknown>> = {
      '/health/upstreams': () => ({ upstreams: scene.upstreams }),
      '/health/components': () => ({ ...scene.components, ...scene.upstreams }),
      '/health/failures': () => ({ failures: scene.failures }),
      '/metrics/anomalies': () => scene.anomalies,
      '/metrics': () => scene.metrics,
      '/metrics/history': () => {
        const seconds = Number.parseInt(query.get('window') ?? '300', 10)
        const step = Number.parseInt(query.get('step') ?? '1', 10)
        return scene.history(Date.now(), seconds, step)
      },
    }
    return bodies[pathname]?.()
  }

  #follow(response: ServerResponse): void {
    if (this.streams === 'refused') {
      json(response, { code: 'busy' }, 503)
      return
    }
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    response.write(':\n\n')
    if (this.streams === 'silent') return
    this.#followers.add(response)
    const told = setInterval(() => response.write(event(Date.now(), this.scene.sample())), 1_000)
    response.on('close', () => {
      clearInterval(told)
      this.#followers.delete(response)
    })
    response.write(event(Date.now(), this.scene.sample()))
  }

  #knows({ headers }: IncomingMessage): boolean {
    if (this.key === undefined) return true
    const cookie = /tidegate_session=([^;]+)/.exec(headers.cookie ?? '')?.[1]
    return cookie !== undefined && this.#sessions.has(cookie)
  }

  async #login(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = ''
    for await (const chunk of request) body += chunk
    if (new URLSearchParams(body).get('key') !== this.key) {
      return json(response, { code: 'admin_key_invalid' }, 401)
    }
    const id = createHash('sha256').update(String(this.paths.length)).digest('hex')
    this.#sessions.add(id)
    response.setHeader('set-cookie', `tidegate_session=${id}; HttpOnly; SameSite=Strict; Path=/`)
    response.writeHead(204).end()
  }

  #session(request: IncomingMessage, response: ServerResponse): void {
    const authenticated = this.#knows(request)
    const csrf = authenticated && this.key !== undefined ? 'csrf-of-this-session' : null
    json(response, { authenticated, csrf })
  }

  #logout({ headers }: IncomingMessage, response: ServerResponse): void {
    if (headers['x-csrf-token'] !== 'csrf-of-this-session') {
      json(response, { code: 'csrf_token_wrong' }, 403)
      return
    }
    this.endSessions()
    response.writeHead(204).end()
  }
}

function event(t: number, values: unknown): string {
  return `id: ${t}\nevent: sample\ndata: ${JSON.stringify({ t, values })}\n\n`
}

function json(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
  response.end(JSON.stringify(body))
}

async function serveFile(response: ServerResponse, path: string): Promise<void> {
  const content = await readFile(join(dist, normalize(path)))
  response.writeHead(200, {
    'content-type': types[extname(path)] ?? 'application/octet-stream',
    'content-security-policy': policy,
    'x-content-type-options': 'nosniff',
  })
  response.end(content)
}
