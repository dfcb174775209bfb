import { readFigures } from '../data/figures.ts'
import { readComponents, readUpstreams } from '../data/health.ts'
import { readAnomalies, readFailures } from '../data/incidents.ts'
import type { Round } from '../data/state.ts'
import { fields } from '../data/wire.ts'
import type { Answer, Api } from './api.ts'

export type RoundResult =
  | { readonly kind: 'round'; readonly round: Round }
  | { readonly kind: 'unauthorised' }
  | { readonly kind: 'failed'; readonly reason: string }

const paths = [
  '/health/upstreams',
  '/health/components',
  '/health/failures',
  '/metrics/anomalies',
  '/metrics',
] as const

/** Asks for all that isn't streamed, at once. What alone fails is left out, and keeps its last answer. */
export async function askRound(api: Api): Promise<RoundResult> {
  const [ready, ...answers] = await Promise.all([api.get('/readyz'), ...paths.map(api.get)])
  if (answers.some(({ kind }) => kind === 'unauthorised')) return { kind: 'unauthorised' }
  const failed = answers.filter((answer) => answer.kind === 'failed')
  if (failed.length === answers.length) {
    return { kind: 'failed', reason: failed[0]?.reason ?? 'no connection' }
  }
  const [upstreams, components, failures, anomalies, figures] = answers.map((answer) =>
    bodyOf(answer),
  )
  const known = upstreams === undefined ? undefined : readUpstreams(upstreams)
  return {
    kind: 'round',
    round: {
      draining: isDraining(ready),
      ...(known !== undefined && { upstreams: known }),
      ...(components !== undefined && { components: readComponents(components, known ?? []) }),
      ...(failures !== undefined && { failures: readFailures(failures) }),
      ...(anomalies !== undefined && { anomalies: readAnomalies(anomalies) }),
      ...(figures !== undefined && { figures: readFigures(figures) }),
    },
  }
}

function bodyOf(answer: Answer): unknown {
  return answer.kind === 'answer' && answer.status === 200 ? answer.body : undefined
}

/** A gateway that drains says so in the answer that sends others elsewhere. */
function isDraining(answer: Answer): boolean {
  return answer.kind === 'answer' && fields(answer.body).status === 'draining'
}
