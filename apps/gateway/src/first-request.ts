import { covers, parseMatch, type RouteMatch } from './config/route-match.ts'
import type { RouteSettings, Settings, UpstreamSettings } from './config/settings.ts'

/** One `curl` that this very configuration answers. */
export function firstRequest({ routes, upstreams }: Settings, url: string): string {
  const base = url.replace('//0.0.0.0', '//127.0.0.1').replace('//[::]', '//[::1]')
  const candidates = routes.flatMap((route) => {
    const upstream = upstreams.find(({ name }) => name === route.upstreams[0])
    const request = upstream && requestTo(route, upstream)
    return request !== undefined && routeOf(routes, request.path) === route ? [request] : []
  })
  const [best] = candidates.sort((one, other) => one.rank - other.rank)
  if (best === undefined) return `curl ${quote(`${base}/livez`)}`
  return [`curl ${quote(base + best.path)}`, ...best.options].join(' \\\n  ')
}

interface FirstRequest {
  readonly path: string
  readonly options: readonly string[]
  /** The lower the more telling. */
  readonly rank: number
}

function requestTo(route: RouteSettings, upstream: UpstreamSettings): FirstRequest {
  const prefix = route.stripPrefix
  if (upstream.protocol === 'http') {
    return { path: literalPath(route), options: credential(route, upstream), rank: 3 }
  }
  if (upstream.protocol === 'anthropic') {
    const version = option('anthropic-version: 2023-06-01')
    const body = chat({ model: aliasOf(upstream) ?? 'claude-sonnet-4-5', max_tokens: 100 })
    const options = [...credential(route, upstream), version, ...body]
    return { path: `${prefix}/v1/messages`, options, rank: 1 }
  }
  const model = knownModel(upstream)
  // Only the providers' own models are known by name; any such service lists what it has.
  if (model === undefined) {
    return { path: `${prefix}/v1/models`, options: credential(route, upstream), rank: 2 }
  }
  const options = [...credential(route, upstream), ...chat({ model })]
  return { path: `${prefix}/v1/chat/completions`, options, rank: 0 }
}

function knownModel(upstream: UpstreamSettings): string | undefined {
  if (upstream.demo) return 'tidegate-demo'
  const isOpenai = upstream.endpoints.every(({ url }) => url.host === 'api.openai.com')
  return aliasOf(upstream) ?? (isOpenai ? 'gpt-4o-mini' : undefined)
}

function aliasOf({ models }: UpstreamSettings): string | undefined {
  const [alias] = models.keys()
  return alias
}

function chat(request: object): readonly string[] {
  const body = { ...request, messages: [{ role: 'user', content: 'Hello' }] }
  return [option('content-type: application/json'), `-d ${quote(JSON.stringify(body))}`]
}

function credential(route: RouteSettings, upstream: UpstreamSettings): readonly string[] {
  const header = upstream.protocol === 'anthropic' ? 'x-api-key: ' : 'authorization: Bearer '
  if (route.auth === 'required') return [option(`${header}YOUR_TIDEGATE_KEY`)]
  const passes = route.auth === 'none' && !upstream.demo && upstream.protocol !== 'http'
  if (!passes || upstream.endpoints.every(({ apiKey }) => apiKey !== undefined)) return []
  return [option(`${header}YOUR_PROVIDER_KEY`)]
}

function literalPath({ match }: RouteSettings): string {
  const literal = match.replace(/\/\*.*$/, '')
  return literal === '' ? '/' : literal
}

function routeOf(routes: readonly RouteSettings[], path: string): RouteSettings | undefined {
  const wanted: RouteMatch = {
    segments: path === '/' ? [] : path.slice(1).split('/'),
    open: false,
  }
  return routes.find((route) => {
    const { match } = parseMatch(route.match)
    return match !== undefined && covers(match, wanted)
  })
}

function option(header: string): string {
  return `-H ${quote(header)}`
}

/** For a POSIX shell. */
function quote(text: string): string {
  return /^[\w:/.@[\]-]+$/.test(text) && !text.includes('[')
    ? text
    : `'${text.replaceAll("'", `'\\''`)}'`
}
