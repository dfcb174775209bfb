import type { HealthStatus } from '@tidegate/health'

/** How a part of the gateway stands, as `/health/{component}` tells it. */
export interface Component {
  readonly status: HealthStatus
  readonly [fact: string]: unknown
}

/** A part of the gateway that can be looked at. */
export interface Look {
  /** Looks now, or tells what is known while that is fresh enough. */
  now(): Component | Promise<Component>
  /** What is known without looking; `undefined` before anything is. */
  known(): HealthStatus | undefined
}

/** By the names that stand in `/health/{component}`. */
export type Looks = ReadonlyMap<string, Look>

/** What is known at any time: looking costs nothing. */
export function always(look: () => Component): Look {
  return { now: look, known: () => look().status }
}

/** All that these say, asked at the same time. */
export async function lookAtAll(looks: Looks): Promise<Readonly<Record<string, Component>>> {
  const answers = [...looks].map(async ([name, look]) => [name, await look.now()] as const)
  return Object.fromEntries(await Promise.all(answers))
}
