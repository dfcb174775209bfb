import { HealthError } from '../errors.ts'

/** A step as its order sees it. */
export interface Ordered {
  readonly name: string
  readonly after: readonly string[]
  /** Its weight when time is divided. */
  readonly share: number
}

/**
 * Says so when a step, with those before it, waits for itself.
 *
 * @throws HealthError `cycle`, with the way round
 */
export function refuseCycle(steps: ReadonlyMap<string, Ordered>, from: Ordered): void {
  const way = wayTo(steps, from.name, from.after, new Set())
  if (way === undefined) return
  throw new HealthError(
    'cycle',
    `Steps of the shutdown wait for each other: ${[from.name, ...way].join(' after ')}. Take one "after" away.`,
  )
}

function wayTo(
  steps: ReadonlyMap<string, Ordered>,
  goal: string,
  names: readonly string[],
  seen: Set<string>,
): readonly string[] | undefined {
  for (const name of names) {
    if (name === goal) return [name]
    if (seen.has(name)) continue
    seen.add(name)
    const rest = wayTo(steps, goal, steps.get(name)?.after ?? [], seen)
    if (rest !== undefined) return [name, ...rest]
  }
  return undefined
}

/**
 * For each step the part of the time left that is its own: its share, of all on the longest way from it to the
 * end. What a step doesn't use is left to those after it.
 */
export function partsOf(steps: ReadonlyMap<string, Ordered>): ReadonlyMap<string, number> {
  const followers = new Map<string, string[]>()
  for (const { name, after } of steps.values()) {
    for (const before of after) followers.set(before, [...(followers.get(before) ?? []), name])
  }
  const weights = new Map<string, number>()
  const weightOf = (name: string): number => {
    const known = weights.get(name)
    if (known !== undefined) return known
    const behind = Math.max(0, ...(followers.get(name) ?? []).map(weightOf))
    const weight = behind + (steps.get(name)?.share ?? 0)
    weights.set(name, weight)
    return weight
  }
  return new Map([...steps.values()].map(({ name, share }) => [name, share / weightOf(name)]))
}
