import type { Context } from 'hono'
import type { GatewayEnv } from '../../env.ts'
import { SESSION_PATHS } from '../../sessions/endpoints.ts'
import { ownPaths } from '../../stages.ts'

const LAST_PART = /\/(?:\*|:\w+)$/

const paths: readonly string[] = [...ownPaths, ...SESSION_PATHS]
const exact = new Set(paths.filter((path) => !LAST_PART.test(path)))
const open = paths
  .filter((path) => LAST_PART.test(path))
  .map((path) => [path, path.replace(LAST_PART, '')] as const)

/** All that `ownRoute` can say. */
export const ownRoutes: ReadonlySet<string> = new Set([...exact, ...open.flat()])

/** Which of the gateway's own endpoints a request is for: one of a few, whatever clients make up. */
export function ownRoute(c: Context<GatewayEnv>): string | undefined {
  const { target } = c.env.incoming
  if (!target.ok) return undefined
  const { path } = target
  if (exact.has(path)) return path
  const [pattern, base] =
    open.find(([, each]) => path === each || path.startsWith(`${each}/`)) ?? []
  return path === base ? base : pattern
}
