import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { scratch } from '../harness/processes.ts'
import type { Setting } from './catalog.ts'

function write(name: string, text: string): string {
  const path = join(scratch(), name)
  writeFileSync(path, text)
  return path
}

/** What the route of a measured gateway does beside forwarding. */
export interface Stages {
  /** The client's key, where one is required. */
  readonly key?: string
  /**
   * Limits, set so high that they never deny: on the requests of the address and of the key's tier; on
   * the tier's concurrent requests too; and on its tokens as well.
   */
  readonly limits?: 'requests' | 'concurrent' | 'tokens'
  /** Whether answers are kept and served again: all requests of a run are alike, so all but one are hits. */
  readonly cache?: boolean
  /** Whether nothing is counted and timed. */
  readonly uncounted?: boolean
  /** Whether requests are traced, with the share that is recorded by default; the mock takes the spans. */
  readonly traced?: boolean
}

/** The gateway with nothing tuned: only what a configuration must say to serve this upstream. */
export function tidegateConfig(name: string, setting: Setting, stages: Stages): string {
  const { key, limits, cache, uncounted, traced } = stages
  const tier = limits ? ', tier: bench' : ''
  const auth = key ? `auth:\n  keys:\n    - { id: bench, key: "${key}"${tier} }\n` : ''
  return write(
    `${name}-${setting.port}.yaml`,
    `version: 1
server:
  port: ${setting.port}
upstreams:
  mock:
    protocol: openai
    endpoints:
      - { url: "http://127.0.0.1:${setting.upstreamPort}/v1", apiKey: sk-upstream }
routes:
  - { match: /v1/**, upstreams: [mock], auth: ${key ? 'required' : 'none'}${limits ? ', limits: [per-ip, tier]' : ''}${cache ? ', cache: 1h' : ''} }
${auth}${limits ? limitsSection(limits) : ''}${uncounted ? 'telemetry: { metrics: off }\n' : ''}${traced ? tracingSection(setting) : ''}`,
  )
}

function tracingSection({ upstreamPort }: Setting): string {
  return `telemetry:
  tracing: { endpoint: "http://127.0.0.1:${upstreamPort}", sample: 1% }
`
}

function limitsSection(limits: NonNullable<Stages['limits']>): string {
  const concurrent = limits === 'requests' ? '' : ', concurrent: 100000'
  const tokens = limits === 'tokens' ? ', tokens: 100000000000/1m' : ''
  return `limits:
  per-ip: { by: ip, rate: 100000000/1m }
tiers:
  bench: { requests: 100000000/1m${concurrent}${tokens} }
`
}

/** One worker in one process, connections kept, events passed on as they come, no access log. */
export function nginxConfig(setting: Setting): string {
  const folder = scratch()
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${folder}/nginx-${kind};`)
    .join('\n  ')
  return write(
    `nginx-${setting.port}.conf`,
    `daemon off;
master_process off;
worker_processes 1;
worker_rlimit_nofile 8192;
pid ${folder}/nginx-${setting.port}.pid;
error_log stderr error;
events { worker_connections 4096; }
http {
  ${temporary}
  access_log off;
  tcp_nodelay on;
  keepalive_requests 1000000000;
  upstream mock {
    server 127.0.0.1:${setting.upstreamPort};
    keepalive 64;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${setting.port};
    location / {
      proxy_pass http://mock;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
    }
  }
}
`,
  )
}

/** One thread, connections kept and shared, no log. */
export function haproxyConfig(setting: Setting): string {
  return write(
    `haproxy-${setting.port}.cfg`,
    `global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  option http-no-delay
  http-reuse always
frontend bench
  bind 127.0.0.1:${setting.port}
  default_backend mock
backend mock
  server mock 127.0.0.1:${setting.upstreamPort}
`,
  )
}
