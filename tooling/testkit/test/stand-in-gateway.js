// Behaves at its edges as the gateway does: flags, readiness, JSON lines, signals. Its configuration's
// `mode` makes it fail.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'

const [command, flag, file] = process.argv.slice(2)
const text = flag === '--config' ? readFileSync(file, 'utf8') : ''
const setting = (name) => new RegExp(`"?${name}"?:\\s*"?([\\w.]+)`).exec(text)?.[1]
const say = (record) => process.stdout.write(`${JSON.stringify(record)}\n`)

if (command === '--help') {
  process.stdout.write('usage: stand-in\n')
  process.exit(0)
}
if (setting('mode') === 'broken') {
  process.stderr.write('the configuration is broken\n')
  process.exit(2)
}

const host = setting('host') ?? process.env.HOST
const port = Number(setting('port') ?? process.env.PORT)
let asked = 0
const server = createServer((request, response) => {
  asked += 1
  const ready = setting('mode') !== 'never' && asked > 2
  if (request.url === '/readyz') response.writeHead(ready ? 200 : 503).end()
  else response.end(JSON.stringify(process.env))
  say({ level: 'info', message: 'request', path: request.url })
})
server.listen(port, host, () => {
  process.stdout.write('a line for people\n')
  say({ level: 'info', message: 'listening', host, port })
})
process.on('SIGTERM', () => {
  if (setting('mode') === 'stubborn') return
  say({ level: 'info', message: 'draining' })
  server.close(() => process.exit(0))
  server.closeIdleConnections()
})
