export type { CanarySighting } from './canary/canary.ts'
export { canary, findCanaries } from './canary/canary.ts'
export type {
  CommandOptions,
  CommandResult,
  GatewayOptions,
  RunningGateway,
} from './gateway/gateway.ts'
export { runGatewayCommand, startGateway } from './gateway/gateway.ts'
export type { GatewayConfig } from './gateway/gateway-config.ts'
export type { LogRecord } from './gateway/log-stream.ts'
export type { DeafListener } from './net/deaf-listener.ts'
export { startDeafListener } from './net/deaf-listener.ts'
export { freePort } from './net/free-port.ts'
export type { HttpMessage, HttpResponseMessage } from './net/http-message.ts'
export { parseRequests, parseResponses } from './net/http-message.ts'
export type { ConnectOptions, Ending } from './net/raw-connection.ts'
export { connectRaw, RawConnection } from './net/raw-connection.ts'
export type { RawExchange, RawRequestOptions, RawStep } from './net/raw-request.ts'
export { rawRequest } from './net/raw-request.ts'
export type { RawUpstream, RawUpstreamOptions } from './net/raw-upstream.ts'
export { rawUpstream } from './net/raw-upstream.ts'
export type { Exit, LaunchOptions } from './process/child.ts'
export { ManagedProcess } from './process/child.ts'
export type { TemporaryFolder } from './process/temporary-folder.ts'
export { temporaryFolder } from './process/temporary-folder.ts'
export type { PollOptions } from './process/waiting.ts'
export { pollUntil, withTimeout } from './process/waiting.ts'
export type { Behaviour, Fault, FaultKind, FaultPoint } from './provider/behaviour.ts'
export { behaviourHeader } from './provider/behaviour.ts'
export type { ProtocolError, ProviderOptions } from './provider/provider.ts'
export { Provider, startProvider } from './provider/provider.ts'
export { hopByHopHeaders } from './provider/provider-headers.ts'
export type { EarlyClose, RecordedRequest } from './provider/recorded-request.ts'
export type { Certificates } from './services/certificates.ts'
export { makeCertificates } from './services/certificates.ts'
export type { PostgresOptions, PostgresServer } from './services/postgres.ts'
export { startPostgres } from './services/postgres.ts'
export type { RedisOptions, RedisServer } from './services/redis.ts'
export { startRedis } from './services/redis.ts'
export type { RedisReply } from './services/redis-wire.ts'
export type { SocketClose, SocketMessage, UpstreamSocket } from './websocket/upstream-socket.ts'
export type {
  Handshake,
  RecordedHandshake,
  WebSocketUpstreamOptions,
} from './websocket/websocket-upstream.ts'
export { startWebSocketUpstream, WebSocketUpstream } from './websocket/websocket-upstream.ts'
