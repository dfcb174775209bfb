import { isOff, list, number, type Report, samplerOf, text, type Variables } from './variables.ts'

/** Where one signal goes by the environment. */
export interface OtlpTargetSettings {
  readonly url?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly timeoutMs?: number
  readonly compression?: 'gzip' | 'none'
}

/** What OpenTelemetry's environment variables say: the form that `startOtlp` takes. */
export interface OtlpSettings {
  readonly endpoint?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly timeoutMs?: number
  readonly compression?: 'gzip' | 'none'
  readonly serviceName?: string
  readonly version?: string
  readonly resource: Readonly<Record<string, string>>
  readonly targets: {
    readonly traces: OtlpTargetSettings | false
    readonly metrics: OtlpTargetSettings | false
  }
  readonly queue: { readonly max?: number; readonly batch?: number; readonly delayMs?: number }
  readonly metricIntervalMs?: number
}

/** OpenTelemetry's environment, read. */
export interface OtlpEnvironment {
  /** Whether anything is to be sent: an endpoint is set, and nothing switches all of it off. */
  readonly enabled: boolean
  readonly otlp: OtlpSettings
  /** For `createTracing`; absent: `OTEL_TRACES_SAMPLER` isn't set. */
  readonly sampling?: { readonly sampleRatio: number; readonly respectParent: boolean }
  /** What can't be and is left out, one sentence each, without values. Empty: nothing. */
  readonly problems: readonly string[]
}

/**
 * Reads the standard `OTEL_*` variables. Those that are set to nothing are as unset; one that can't be is
 * left out with a sentence in `problems`, since telemetry is no reason for a service not to start.
 *
 * The samplers `parentbased_*` respect the parent. The others (`always_on`, `always_off`, `traceidratio`)
 * begin each trace anew, as `createTracing` says.
 *
 * @param env `process.env`, or what stands for it
 */
export function otlpEnvironment(env: Variables): OtlpEnvironment {
  const problems: string[] = []
  const report: Report = (name, expected) => {
    problems.push(`${name} is left out: it must be ${expected}.`)
  }
  const base = target(env, 'OTEL_EXPORTER_OTLP_', report)
  const signal = (name: 'METRICS' | 'TRACES'): OtlpTargetSettings | false => {
    const exporter = text(env, `OTEL_${name}_EXPORTER`) ?? 'otlp'
    if (exporter === 'none') return false
    if (exporter !== 'otlp') report(`OTEL_${name}_EXPORTER`, 'otlp or none')
    const { endpoint: url, ...own } = target(env, `OTEL_EXPORTER_OTLP_${name}_`, report)
    return { ...own, ...(url !== undefined && { url }) }
  }
  const targets = { traces: signal('TRACES'), metrics: signal('METRICS') }
  const hasTarget = (target: OtlpTargetSettings | false): boolean =>
    target !== false && (target.url ?? base.endpoint) !== undefined
  const enabled =
    !isOff(env, 'OTEL_SDK_DISABLED') && (hasTarget(targets.traces) || hasTarget(targets.metrics))
  const sampling = samplerOf(env, report)
  return {
    enabled,
    otlp: { ...base, ...service(env, report), targets, ...pace(env, report) },
    ...(sampling !== undefined && { sampling }),
    problems,
  }
}

type Target = Pick<OtlpSettings, 'compression' | 'endpoint' | 'headers' | 'timeoutMs'>

function target(env: Variables, prefix: string, report: Report): Target {
  const endpoint = endpointOf(env, `${prefix}ENDPOINT`, report)
  const headers = list(env, `${prefix}HEADERS`, report)
  const timeoutMs = number(env, `${prefix}TIMEOUT`, [1, 600_000], report)
  const compression = text(env, `${prefix}COMPRESSION`)
  const protocol = text(env, `${prefix}PROTOCOL`)
  if (protocol !== undefined && protocol !== 'http/protobuf') {
    report(`${prefix}PROTOCOL`, 'http/protobuf, the one that is spoken here')
  }
  const isKnown = compression === 'gzip' || compression === 'none'
  if (compression !== undefined && !isKnown) report(`${prefix}COMPRESSION`, 'gzip or none')
  return {
    ...(endpoint !== undefined && { endpoint }),
    ...(headers !== undefined && { headers }),
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(isKnown && { compression }),
  }
}

function endpointOf(env: Variables, name: string, report: Report): string | undefined {
  const value = text(env, name)
  if (value === undefined) return undefined
  const protocol = URL.parse(value)?.protocol
  if (protocol === 'http:' || protocol === 'https:') return value
  return report(name, 'an http(s) URL, such as http://127.0.0.1:4318')
}

function service(
  env: Variables,
  report: Report,
): Pick<OtlpSettings, 'resource' | 'serviceName' | 'version'> {
  const named = list(env, 'OTEL_RESOURCE_ATTRIBUTES', report) ?? {}
  const { 'service.name': nameThere, 'service.version': version, ...resource } = named
  const serviceName = text(env, 'OTEL_SERVICE_NAME') ?? nameThere
  return {
    resource,
    ...(serviceName !== undefined && { serviceName }),
    ...(version !== undefined && { version }),
  }
}

function pace(env: Variables, report: Report): Pick<OtlpSettings, 'metricIntervalMs' | 'queue'> {
  const max = number(env, 'OTEL_BSP_MAX_QUEUE_SIZE', [1, 1_000_000], report)
  const most = Math.min(max ?? 2_048, 65_536)
  const batch = number(env, 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE', [1, most], report)
  const delayMs = number(env, 'OTEL_BSP_SCHEDULE_DELAY', [0, 3_600_000], report)
  const metricIntervalMs = number(env, 'OTEL_METRIC_EXPORT_INTERVAL', [100, 86_400_000], report)
  return {
    queue: {
      ...(max !== undefined && { max }),
      ...(batch !== undefined && { batch }),
      ...(delayMs !== undefined && { delayMs }),
    },
    ...(metricIntervalMs !== undefined && { metricIntervalMs }),
  }
}
