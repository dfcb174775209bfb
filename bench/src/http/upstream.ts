import { readFileSync } from 'node:fs'
import { createServer as createPlainServer, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'

/**
 * Answers every request on every connection with the same JSON, as cheaply as Node can; over TLS when it
 * is given a certificate. Tells its port on IPC, and how many connections it has had when asked.
 */
const [certFile, keyFile] = process.argv.slice(2)

const body = JSON.stringify({
  id: 'order-1',
  items: Array.from({ length: 6 }, (_, index) => ({ sku: `sku-${index}`, count: index, on: true })),
  note: '.'.repeat(164),
})
const head = ['HTTP/1.1 200 OK', 'content-type: application/json', `content-length: ${body.length}`]
const keepAlive = Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`)
const last = Buffer.from(`${[...head, 'connection: close'].join('\r\n')}\r\n\r\n${body}`)

let connections = 0

function serve(socket: Socket): void {
  connections += 1
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  // The requests have no body and fit into one segment.
  socket.on('data', (request: Buffer) => {
    if (/\r\nconnection: ?close\r\n/i.test(request.toString('latin1'))) socket.end(last)
    else socket.write(keepAlive)
  })
}

const server =
  certFile === undefined || keyFile === undefined
    ? createPlainServer(serve)
    : createTlsServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) }, serve)

process.on('message', () => process.send?.({ connections }))
process.on('disconnect', () => process.exit(0))
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.send?.({ port: typeof address === 'object' && address ? address.port : 0 })
})
