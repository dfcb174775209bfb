import {
  type SpanAttributes,
  serverEnding,
  serverSpan,
  type Tracing,
} from '@tidegate/telemetry/tracing'
import type { Context } from 'hono'
import type { TracingSettings } from '../../config/tracing-settings.ts'
import type { GatewayEnv } from '../../env.ts'
import type { RequestObserver } from '../../front.ts'
import { CLIENT_CLOSED_REQUEST, outcomeAt } from '../../logging.ts'
import { ownRoute } from '../metrics/own-route.ts'

/**
 * The span of each request, from its head to the end of its answer's body. What it says is put together at the
 * end, and only where it is recorded.
 */
export function requestSpans(tracing: Tracing, parent: TracingSettings['parent']): RequestObserver {
  const always = parent === 'always'
  const trusted = parent === 'trusted'
  return {
    begin: (c, fields) => {
      const { headers } = c.env.incoming
      const { peerTrusted, startedAt } = c.get('exchange')
      const span = tracing.begin(single(headers.traceparent), single(headers.tracestate), {
        startAt: startedAt,
        respectParent: always || (trusted && peerTrusted),
      })
      c.set('span', span)
      fields.trace_id = span.traceId
      fields.span_id = span.spanId
    },
    end: (c, end) => {
      const span = c.get('span')
      if (span?.sampled !== true) return
      const exchange = c.get('exchange')
      const outcome = outcomeAt(end, exchange)
      const isGone = outcome === 'client_gone'
      const status = isGone ? CLIENT_CLOSED_REQUEST : exchange.status || end.statusCode
      const isFault = !isGone && (status >= 500 || outcome !== 'complete')
      const { name, attributes } = serverSpan(facts(c))
      span.rename(name)
      if (attributes !== undefined) span.set(attributes)
      span.set({
        ...answered(c),
        'tidegate.outcome': outcome,
        'tidegate.error_code': exchange.errorCode,
      })
      span.end(serverEnding(status, isFault ? (exchange.errorCode ?? outcome) : undefined))
    },
  }
}

function facts(c: Context<GatewayEnv>): Parameters<typeof serverSpan>[0] {
  const { incoming } = c.env
  const { method, route = ownRoute(c), clientIp } = c.get('exchange')
  const { target, secure, headers, httpVersion } = incoming
  const host = URL.parse(`http://${headers.host}`)
  return {
    method,
    // Where it may hold a secret it has another name in the log, and here.
    path: c.get('loggedPath') ?? (target.ok ? target.path : '/'),
    scheme: secure ? 'https' : 'http',
    ...(route !== undefined && { route }),
    ...(host !== null && { serverAddress: host.hostname }),
    ...(host !== null && host.port !== '' && { serverPort: Number(host.port) }),
    clientAddress: clientIp,
    ...(headers['user-agent'] !== undefined && { userAgent: headers['user-agent'] }),
    protocolVersion: httpVersion,
  }
}

function answered(c: Context<GatewayEnv>): SpanAttributes {
  const [call, served] = [c.get('call'), c.get('served')]
  const { requestId, bytesOut, tenant } = c.get('exchange')
  return {
    'tidegate.request_id': requestId,
    'tidegate.upstream': call?.upstream.name,
    'tidegate.attempts': call?.attempts,
    'tidegate.cache': served?.cache,
    'tidegate.shared': served?.shared === true ? true : undefined,
    'tidegate.tenant': tenant,
    'tidegate.tier': c.get('identity')?.tier,
    'http.response.body.size': bytesOut,
  }
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(',') : value
}
