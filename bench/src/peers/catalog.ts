import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Command, isInstalled } from '../harness/processes.ts'
import { haproxyConfig, nginxConfig, type Stages, tidegateConfig } from './configs.ts'

/** What a peer is told when it starts. */
export interface Setting {
  readonly port: number
  readonly upstreamPort: number
  /** Most connections to the upstream, for peers that have such a limit. */
  readonly connections: number
}

/** A server under test. */
export interface Peer {
  readonly name: string
  readonly command: (setting: Setting) => Command
  readonly version: () => string
  /** Why it can't run here, or undefined. */
  readonly missing: () => string | undefined
  /** What the client sends as its key, and headers that only this peer needs. */
  readonly key?: string
  readonly headers?: (setting: Setting) => string[]
  /** What is asked to find out whether it is up. */
  readonly ready: string
}

/** No server at all: what the mock and the load cost by themselves. */
export const DIRECT = 'direct'
export const CLIENT_KEY = 'tg-bench-5f2c1a'

const GATEWAY = fileURLToPath(new URL('../../../apps/gateway/dist/cli.js', import.meta.url))
const PORTKEY = fileURLToPath(import.meta.resolve('@portkey-ai/gateway/build/start-server.js'))
const LOOPBACK = new URL('./loopback.js', import.meta.url).href

/** A peer of our own, in JavaScript: a server that strips its types at start is slower and larger. */
function script(file: string): (setting: Setting) => Command {
  return (setting) => ({
    file: process.execPath,
    args: [fileURLToPath(new URL(file, import.meta.url))],
    env: {
      PORT: String(setting.port),
      UPSTREAM_PORT: String(setting.upstreamPort),
      CONNECTIONS: String(setting.connections),
    },
  })
}

function tidegate(name: string, stages: Stages): Peer {
  return {
    name,
    version: () => packageVersion(new URL('../../../apps/gateway/package.json', import.meta.url)),
    missing: () => (existsSync(GATEWAY) ? undefined : 'build it first: npx -y pnpm@12 build'),
    ready: '/livez',
    ...(stages.key ? { key: stages.key } : {}),
    command: (setting) => ({
      file: process.execPath,
      args: [GATEWAY, 'start', '--config', tidegateConfig(name, setting, stages)],
    }),
  }
}

function dependency(name: string): () => string {
  return () => packageVersion(new URL(`../../node_modules/${name}/package.json`, import.meta.url))
}

function installed(program: string): () => string | undefined {
  return () => (isInstalled(program) ? undefined : 'not installed')
}

function toolVersion(file: string): () => string {
  return () => {
    const { stdout, stderr } = spawnSync(file, ['-v'], {
      encoding: 'utf8',
      env: { PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` },
    })
    return /\d+\.\d+\.\d+/.exec(`${stdout}${stderr}`)?.[0] ?? '?'
  }
}

function packageVersion(url: URL): string {
  return (JSON.parse(readFileSync(url, 'utf8')) as { version?: string }).version ?? '?'
}

export const PEERS: readonly Peer[] = [
  {
    name: 'bare',
    version: () => `undici ${dependency('undici')()}`,
    missing: () => undefined,
    ready: '/v1/models',
    command: script('./bare.js'),
  },
  tidegate('tidegate', {}),
  tidegate('tidegate-uncounted', { uncounted: true }),
  tidegate('tidegate-traced', { traced: true }),
  tidegate('tidegate-auth', { key: CLIENT_KEY }),
  tidegate('tidegate-limits', { key: CLIENT_KEY, limits: 'requests' }),
  tidegate('tidegate-slots', { key: CLIENT_KEY, limits: 'concurrent' }),
  tidegate('tidegate-tokens', { key: CLIENT_KEY, limits: 'tokens' }),
  tidegate('tidegate-cached', { key: CLIENT_KEY, cache: true }),
  {
    name: 'fastify',
    version: () => `${dependency('fastify')()}, http-proxy ${dependency('@fastify/http-proxy')()}`,
    missing: () => undefined,
    ready: '/v1/models',
    command: script('./fastify.js'),
  },
  {
    name: 'hono-proxy',
    version: () => `${dependency('hono')()}, node-server ${dependency('@hono/node-server')()}`,
    missing: () => undefined,
    ready: '/v1/models',
    command: script('./hono-proxy.js'),
  },
  {
    name: 'portkey',
    version: dependency('@portkey-ai/gateway'),
    missing: () => undefined,
    ready: '/',
    headers: ({ upstreamPort }) => [
      'x-portkey-provider: openai',
      `x-portkey-custom-host: http://127.0.0.1:${upstreamPort}/v1`,
    ],
    command: ({ port }) => ({
      file: process.execPath,
      args: ['--import', LOOPBACK, PORTKEY, '--headless', `--port=${port}`],
      env: { NODE_ENV: 'production' },
    }),
  },
  {
    name: 'nginx',
    version: toolVersion('nginx'),
    missing: installed('nginx'),
    ready: '/v1/models',
    command: (setting) => ({ file: 'nginx', args: ['-c', nginxConfig(setting)] }),
  },
  {
    name: 'haproxy',
    version: toolVersion('haproxy'),
    missing: installed('haproxy'),
    ready: '/v1/models',
    command: (setting) => ({ file: 'haproxy', args: ['-db', '-f', haproxyConfig(setting)] }),
  },
]
