import type { Context } from 'hono'
import { describe, expect, it } from 'vitest'
import type { GatewayEnv } from '../../env.ts'
import { ownRoute, ownRoutes } from './own-route.ts'

function of(path: string): string | undefined {
  return ownRoute({ env: { incoming: { target: { ok: true, path } } } } as Context<GatewayEnv>)
}

describe('ownRoute', () => {
  it.each([
    ['/livez', '/livez'],
    ['/metrics', '/metrics'],
    ['/metrics/history', '/metrics/*'],
    ['/dashboard/assets/a.js', '/dashboard/*'],
    ['/api/v1/sessions', '/api/v1/sessions'],
    ['/api/v1/sessions/se_1', '/api/v1/sessions/:session'],
    ['/metricsx', undefined],
    ['/v1/models', undefined],
  ])('knows %s as %s', (path, route) => {
    expect(of(path)).toBe(route)
    if (route !== undefined) expect(ownRoutes).toContain(route)
  })
})
