import type { Behaviour } from './behaviour.ts'
import type { Family } from './provider-errors.ts'
import { type Scenario, scenarios } from './scenarios.ts'

/** The request header that chooses a fault by name. */
export const faultHeader = 'x-testkit-fault'

/** A request's `model` that begins so chooses a fault by the rest of its name. */
export const faultModelPrefix = 'fault-'

/** A fault as it was asked for. */
export interface FaultSpec {
  readonly scenario: Scenario
  readonly times: number | 'always'
}

const specForm = /^([a-z0-9-]+)(?::([1-9]\d{0,5}|always))?(?:@[\w.-]+)?$/

/**
 * Reads `name`, `name:3` (three times, then one good answer, then anew) or `name:always`, each with an
 * optional `@label`: equal names with different labels are counted apart. What can't be read is
 * answered with what is wrong.
 */
export function parseFault(text: string): FaultSpec | string {
  const [, name, count] = specForm.exec(text) ?? []
  const scenario = scenarios.find((one) => one.name === name)
  if (scenario === undefined) {
    const names = scenarios.map((one) => one.name).join(', ')
    const shown = JSON.stringify(text.slice(0, 60))
    return `There is no fault ${shown}: give NAME, NAME:TIMES or NAME:always, with one of ${names}.`
  }
  if (count === undefined) return { scenario, times: scenario.times }
  return { scenario, times: count === 'always' ? count : Number(count) }
}

/** What happens to the requests that meet a fault, one each, in order; after the last it begins anew. */
export function faultSteps(fault: string, family: Family = 'openai'): readonly Behaviour[] {
  const spec = parseFault(fault)
  if (typeof spec === 'string') throw new Error(spec)
  return stepsOf(spec, family)
}

export function stepsOf({ scenario, times }: FaultSpec, family: Family): readonly Behaviour[] {
  const { behaviour } = scenario
  const step = typeof behaviour === 'function' ? behaviour(family) : behaviour
  if (times === 'always') return [step]
  return [...Array.from({ length: times }, () => step), {}]
}
