import { resolve } from 'node:path'
import type { Secret } from '@tidegate/config'
import { compileAuth } from './compile-auth.ts'
import { compileHealth } from './compile-health.ts'
import { compileSharing } from './compile-sharing.ts'
import { compileTracing } from './compile-tracing.ts'
import { ruleOf, rulesOf } from './limit-rules.ts'
import type { OtelVariables } from './otel-variables.ts'
import { namesRedis, redisOptionsOf } from './redis-options.ts'
import { authOf } from './rules/exposure.ts'
import type { GatewayConfig } from './schema/gateway.ts'
import { retryDefaults } from './schema/resilience.ts'
import type {
  KeySettings,
  Profile,
  RedisSettings,
  RetrySettings,
  RouteSettings,
  ServerSettings,
  Settings,
  TelemetrySettings,
  UpstreamSettings,
} from './settings.ts'

/** What a compiled configuration needs besides the configuration itself. */
export interface CompileContext {
  readonly profile: Profile
  /** What relative paths start from. */
  readonly cwd: string
  readonly tls: ServerSettings['tls']
  /** The upstream that stands for the local demo model, if one does. */
  readonly demo: string | undefined
  /** The configuration file, if there is one. */
  readonly file: string | undefined
  /** OpenTelemetry's own variables. */
  readonly otel: OtelVariables
  readonly debug: boolean
}

/** Turns a checked configuration into what the gateway runs on. */
export function compileSettings(config: GatewayConfig, context: CompileContext): Settings {
  return {
    ...(context.file !== undefined && { configFile: context.file }),
    profile: context.profile,
    logLevel: config.logging.level,
    ...compileLogFile(config.logging.file, context),
    server: compileServer(config.server, context),
    admin: { key: config.admin.key },
    redis: compileRedis(config.redis, context),
    upstreams: Object.entries(config.upstreams).map(([name, upstream]) =>
      compileUpstream(name, upstream, context),
    ),
    routes: config.routes.map((route) => compileRoute(config, route)),
    limits: Object.entries(config.limits).map(([name, limit]) => ({
      name,
      by: limit.by,
      rule: ruleOf(limit),
    })),
    tiers: Object.entries(config.tiers).map(([name, tier]) => ({ name, ...rulesOf(tier) })),
    keys: config.auth.keys.map(compileKey),
    sessions: config.sessions,
    auth: compileAuth(config.auth),
    cache: config.cache,
    telemetry: compileTelemetry(config.telemetry, context),
    health: compileHealth(config.health),
    debug: context.debug,
  }
}

function compileTelemetry(
  { prices, tracing, ...telemetry }: GatewayConfig['telemetry'],
  { otel }: CompileContext,
): TelemetrySettings {
  const history = telemetry.metrics ? telemetry.history : undefined
  const anomalies = history && telemetry.anomalies
  return {
    ...{ ...telemetry, history, anomalies },
    prices: new Map(Object.entries(prices)),
    tracing: compileTracing(tracing, otel),
  }
}

function compileRedis(
  redis: GatewayConfig['redis'],
  { cwd }: CompileContext,
): RedisSettings | undefined {
  if (!namesRedis(redis)) return undefined
  return { options: redisOptionsOf(redis, cwd), prefix: redis.prefix }
}

function compileLogFile(
  file: GatewayConfig['logging']['file'],
  { cwd }: CompileContext,
): Pick<Settings, 'logFile'> {
  if (file === undefined) return {}
  const { path, maxSize, frequency, keep } = file
  return { logFile: { file: resolve(cwd, path), maxSize, frequency, keep } }
}

function compileServer(server: GatewayConfig['server'], { tls }: CompileContext): ServerSettings {
  const { host, port, trustedProxies, bodyLimit, keepAlive, maxConnections, compression } = server
  const { cors, drain, timeouts } = server
  return {
    ...{ host, port, trustedProxies, bodyLimit, keepAlive, maxConnections, compression },
    ...{ cors, drain, timeouts, tls, guard: compileGuard(server.guard) },
  }
}

function compileGuard(guard: GatewayConfig['server']['guard']): ServerSettings['guard'] {
  if (guard === undefined) return undefined
  const { amount, windowMs } = guard.rate
  return { limit: amount, windowMs, burst: guard.burst ?? 2 * amount }
}

function compileUpstream(
  name: string,
  upstream: GatewayConfig['upstreams'][string],
  { demo }: CompileContext,
): UpstreamSettings {
  const { protocol, endpoints, models, timeouts, breaker, hedge } = upstream
  return {
    name,
    protocol,
    endpoints: endpoints.map(({ url, apiKey, weight }) => ({ url: new URL(url), apiKey, weight })),
    models: new Map(Object.entries(models)),
    timeouts,
    retry: compileRetry(upstream.retry),
    breaker,
    concurrency: upstream.concurrency ?? { max: Number.MAX_SAFE_INTEGER, queue: 0 },
    hedge: hedge?.after === undefined ? undefined : { after: hedge.after, budget: hedge.budget },
    demo: name === demo,
  }
}

// Another upstream of the route may still be tried, for which the body is kept.
function compileRetry(retry: GatewayConfig['upstreams'][string]['retry']): RetrySettings {
  if (retry === undefined) return { ...retryDefaults, retries: 0 }
  return { ...retry, initial: Math.min(retry.initial, retry.max) }
}

function compileRoute(
  config: GatewayConfig,
  route: GatewayConfig['routes'][number],
): RouteSettings {
  return {
    match: route.match,
    upstreams: route.upstreams,
    auth: authOf(config, route),
    limits: route.limits,
    stripPrefix: route.stripPrefix ?? '',
    validate: compileValidation(route.validate),
    holdBack: route.stream?.holdBack ?? 'off',
    ...compileSharing(route),
  }
}

function compileValidation(
  rules: GatewayConfig['routes'][number]['validate'],
): RouteSettings['validate'] {
  const { schema, required, contentType } = rules ?? {}
  const compiled = {
    ...(schema !== undefined && { schema }),
    ...(required !== undefined && { required }),
    ...(contentType !== undefined && { contentType }),
  }
  return Object.keys(compiled).length === 0 ? undefined : compiled
}

function compileKey({ id, tier, key, sha256 }: GatewayConfig['auth']['keys'][number]): KeySettings {
  return { id, tier, secret: secretOf(key, sha256) }
}

function secretOf(key: Secret | undefined, sha256 = ''): KeySettings['secret'] {
  return key === undefined ? { sha256: sha256.toLowerCase() } : { plain: key }
}
