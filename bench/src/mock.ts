import { createServer, type Socket } from 'node:net'
import { monotonicMicros } from './harness/clock.ts'
import { MessageParser } from './harness/http1.ts'

const REPLY_BYTES = 416
const PACE = /"user":"bench-(\d+)x(\d+)"/

const reply = plainReply()
const streamHead = [
  'HTTP/1.1 200 OK',
  'content-type: text/event-stream; charset=utf-8',
  'cache-control: no-cache',
  'openai-version: 2020-10-01',
  'transfer-encoding: chunked',
  '\r\n',
].join('\r\n')
const streamEnd = `${chunk(event({}, '"stop"'))}${chunk('data: [DONE]\n\n')}0\r\n\r\n`

function plainReply(): string {
  const completion = (content: string) =>
    JSON.stringify({
      id: 'chatcmpl-bench',
      object: 'chat.completion',
      created: 1_700_000_000,
      model: 'gpt-4o-mini',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content, refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: { prompt_tokens: 14, completion_tokens: 20, total_tokens: 34 },
    })
  const body = completion('.'.repeat(REPLY_BYTES - completion('').length))
  const head = [
    'HTTP/1.1 200 OK',
    'content-type: application/json',
    'openai-processing-ms: 12',
    'openai-version: 2020-10-01',
    `content-length: ${body.length}`,
  ]
  return `${head.join('\r\n')}\r\n\r\n${body}`
}

function event(delta: object, finish: string): string {
  return `data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o-mini","choices":[{"index":0,"delta":${JSON.stringify(delta)},"finish_reason":${finish}}]}\n\n`
}

function chunk(data: string): string {
  return `${data.length.toString(16)}\r\n${data}\r\n`
}

/** Every event carries the moment it was sent, so that the load side can tell whose delay it was. */
function stampedEvent(): string {
  return chunk(event({ content: `@${Math.round(monotonicMicros())}@` }, 'null'))
}

function stream(socket: Socket, events: number, intervalMs: number): void {
  const start = performance.now()
  let sent = 0
  socket.write(streamHead, 'latin1')
  const next = () => {
    if (socket.destroyed) return
    socket.write(stampedEvent(), 'latin1')
    sent += 1
    if (sent === events) socket.write(streamEnd, 'latin1')
    else setTimeout(next, Math.max(1, start + sent * intervalMs - performance.now()))
  }
  next()
}

const server = createServer({ noDelay: true }, (socket) => {
  let body = ''
  const parser = new MessageParser({
    head: () => {
      body = ''
    },
    body: (buffer, start, end) => {
      body += buffer.toString('latin1', start, end)
    },
    end: () => {
      const pace = body.includes('"stream":true') ? PACE.exec(body) : null
      if (pace) stream(socket, Number(pace[1]), Number(pace[2]))
      else socket.write(reply, 'latin1')
    },
  })
  socket.on('data', (buffer) => parser.feed(buffer, buffer.length))
  socket.on('error', () => socket.destroy())
})

server.listen({ port: Number(process.env.PORT), host: '127.0.0.1', backlog: 2048 })
