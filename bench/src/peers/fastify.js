import proxy from '@fastify/http-proxy'
import Fastify from 'fastify'

const server = Fastify()
server.register(proxy, {
  upstream: `http://127.0.0.1:${process.env.UPSTREAM_PORT}`,
  undici: { connections: Number(process.env.CONNECTIONS) },
})
await server.listen({ port: Number(process.env.PORT), host: '127.0.0.1' })
