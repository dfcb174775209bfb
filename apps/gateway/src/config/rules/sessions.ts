import { eachKnown, type Finding, type Rule } from '@tidegate/config'
import { covers, parseMatch } from '../route-match.ts'
import type { GatewayConfig } from '../schema/gateway.ts'

/** What is wrong with sessions. */
export const sessionRules: readonly Rule<GatewayConfig>[] = [findTakenPaths]

const OWN = parseMatch('/api/v1/sessions/**').match

// A broader route is fine: all but these paths reaches it.
function findTakenPaths({ sessions, routes }: GatewayConfig): readonly Finding[] {
  if (sessions === undefined || OWN === undefined) return []
  return eachKnown(routes, ({ match }, index) => {
    const own = parseMatch(match).match
    if (own === undefined || !covers(OWN, own)) return []
    const message =
      'with sessions on, the gateway answers /api/v1/sessions and what is one segment below it itself; give your own endpoints another path'
    return [{ path: ['routes', index, 'match'], severity: 'warning', message }]
  })
}
