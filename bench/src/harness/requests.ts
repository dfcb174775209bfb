const USER_AGENT_HEADERS = [
  'accept: application/json',
  'accept-encoding: gzip, deflate',
  'accept-language: *',
  'connection: keep-alive',
  'content-type: application/json',
  'sec-fetch-mode: cors',
  'user-agent: OpenAI/JS 6.9.1',
  'x-stainless-arch: x64',
  'x-stainless-lang: js',
  'x-stainless-os: Linux',
  'x-stainless-package-version: 6.9.1',
  'x-stainless-retry-count: 0',
  'x-stainless-runtime: node',
  'x-stainless-runtime-version: v24.21.0',
  'x-stainless-timeout: 600',
]

/** How the mock paces a stream: `events` of them, `intervalMs` apart, the first one at once. */
export interface Pace {
  readonly events: number
  readonly intervalMs: number
}

/** Where a request goes and what this peer needs besides an SDK's own headers. */
export interface Target {
  readonly port: number
  readonly key: string
  readonly headers: readonly string[]
}

/** The bytes of a chat completion as the OpenAI SDK for Node sends it; with a pace, a streamed one. */
export function chatRequest(target: Target, pace?: Pace): Buffer {
  // The mock reads the pace from a field that every gateway passes on, unlike a header or a query.
  const user = pace ? `bench-${pace.events}x${pace.intervalMs}` : 'bench'
  const body = JSON.stringify({
    model: 'gpt-4o-mini',
    messages: [{ role: 'user', content: 'Say hello to the tide.' }],
    user,
    ...(pace ? { stream: true } : {}),
  })
  const head = [
    'POST /v1/chat/completions HTTP/1.1',
    `host: 127.0.0.1:${target.port}`,
    ...USER_AGENT_HEADERS,
    `authorization: Bearer ${target.key}`,
    ...target.headers,
    `content-length: ${Buffer.byteLength(body)}`,
  ]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`)
}

export function getRequest(port: number, path: string): Buffer {
  return Buffer.from(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n\r\n`)
}
