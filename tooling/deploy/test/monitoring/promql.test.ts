import { describe, expect, it } from 'vitest'
import { dashboardExpressions, rules } from './files.ts'
import { gatewaySeries, strangersIn } from './gateway-metrics.ts'
import { type Selector, selectorsIn, withoutVariables } from './promql.ts'

const addedByPrometheus = ['job', 'instance', '__name__']
const recorded = new Set(rules().flatMap(({ record }) => record ?? []))

function wrongIn(expression: string, { name, labels }: Selector): readonly string[] {
  if (name === 'up' || recorded.has(name)) return []
  const known = gatewaySeries.get(name)
  if (known === undefined) return [`${name} is no metric of the gateway: ${expression}`]
  return labels
    .filter((label) => !known.includes(label) && !addedByPrometheus.includes(label))
    .map((label) => `${name} has no label ${label}: ${expression}`)
}

function problemsOf(expression: string): readonly string[] {
  return selectorsIn(expression).flatMap((selector) => wrongIn(expression, selector))
}

describe('selectorsIn', () => {
  it('finds series with the labels they are chosen by, and nothing else', () => {
    const expression = `histogram_quantile(0.95, sum by (job, le) (rate(a_bucket{x="}{", y=~"b"}[5m])))
      and on (job) level:b:p95 offset 1d > bool 1e3 or min_over_time(c[1h:5m]) unless vector(1) == Inf`
    expect(selectorsIn(expression)).toEqual([
      { name: 'a_bucket', labels: ['x', 'y'] },
      { name: 'level:b:p95', labels: [] },
      { name: 'c', labels: [] },
    ])
  })
})

describe('strangersIn', () => {
  it('finds series of an exposition that are not told of, and labels that are', () => {
    const exposition = [
      '# TYPE tidegate_requests_total counter',
      'tidegate_requests_total{http_route="/v1/**",outcome="success",tidegate_tier="a}",tidegate_upstream="b"} 1',
      'tidegate_redis_up 1',
      'tidegate_redis_up{shard="1"} 1 1700000000000',
      'tidegate_secret_total 3',
    ].join('\n')
    expect(strangersIn(exposition)).toEqual([
      'tidegate_redis_up has the label shard, of which gateway-metrics.ts knows nothing',
      'tidegate_secret_total is not in gateway-metrics.ts',
    ])
  })
})

describe('the rules', () => {
  it('ask only for what a gateway exposes', () => {
    expect(rules().flatMap(({ expr }) => problemsOf(expr))).toEqual([])
  })
})

describe('the dashboard', () => {
  it('asks only for what a gateway exposes', () => {
    const expressions = dashboardExpressions().map(withoutVariables)
    expect(expressions.length).toBeGreaterThan(50)
    expect(expressions.flatMap(problemsOf)).toEqual([])
  })

  it('shows every metric of the gateway, or rules over it do', () => {
    const expressions = [...dashboardExpressions(), ...rules().map(({ expr }) => expr)]
    const shown = new Set(
      expressions.flatMap((expr) => selectorsIn(withoutVariables(expr)).map(({ name }) => name)),
    )
    const family = (name: string) => name.replace(/_(bucket|sum|count)$/, '')
    const families = new Set([...shown].map(family))
    expect([...gatewaySeries.keys()].filter((name) => !families.has(family(name)))).toEqual([])
  })
})
