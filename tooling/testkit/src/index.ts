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
export { faultHeader, faultModelPrefix, faultSteps } from './provider/fault-spec.ts'
export type { Outage } from './provider/outage.ts'
export type { ProtocolError, ProviderOptions } from './provider/provider.ts'
export { Provider, startProvider } from './provider/provider.ts'
export { hopByHopHeaders } from './provider/provider-headers.ts'
export type { EarlyClose, RecordedRequest } from './provider/recorded-request.ts'
export type { Scenario } from './provider/scenarios.ts'
export { scenarios } from './provider/scenarios.ts'
export type { Certificates } from './services/certificates.ts'
export { makeCertificates } from './services/certificates.ts'
export { chromiumPath } from './services/chromium.ts'
export type { MongoLookalike, MongoMode, MongoOptions } from './services/mongodb/mongodb.ts'
export { startMongoLookalike } from './services/mongodb/mongodb.ts'
export type { CollectorMode, OtlpCollector, ReceivedExport } from './services/otlp/collector.ts'
export { startOtlpCollector } from './services/otlp/collector.ts'
export type {
  Attributes,
  ReceivedMetric,
  ReceivedPoint,
  ReceivedSpan,
} from './services/otlp/telemetry.ts'
export type { PineconeLookalike, PineconeMode, PineconeOptions } from './services/pinecone.ts'
export { startPineconeLookalike } from './services/pinecone.ts'
export type { PostgresOptions, PostgresServer } from './services/postgres.ts'
export { startPostgres } from './services/postgres.ts'
export type {
  PrometheusOptions,
  PrometheusSample,
  PrometheusServer,
} from './services/prometheus.ts'
export { startPrometheus } from './services/prometheus.ts'
export {
  promtoolCheckConfig,
  promtoolCheckMetrics,
  promtoolCheckRules,
  promtoolTestRules,
} from './services/promtool.ts'
export type { RedisOptions, RedisServer } from './services/redis.ts'
export { startRedis } from './services/redis.ts'
export type { RedisCluster } from './services/redis-cluster.ts'
export { startRedisCluster } from './services/redis-cluster.ts'
export type { RedisSentinels } from './services/redis-sentinel.ts'
export { startRedisSentinels } from './services/redis-sentinel.ts'
export type { RedisReply } from './services/redis-wire.ts'
export type { SocketClose, SocketMessage, UpstreamSocket } from './websocket/upstream-socket.ts'
export type {
  Handshake,
  RecordedHandshake,
  WebSocketUpstreamOptions,
} from './websocket/websocket-upstream.ts'
export { startWebSocketUpstream, WebSocketUpstream } from './websocket/websocket-upstream.ts'
