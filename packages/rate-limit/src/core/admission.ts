import { type Decision, decisionOf, type Outcome, outcomeOf } from './decision.ts'
import { type Ask, type Held, type Lease, StoreLease } from './lease.ts'
import type { Asked, PolicyRequest } from './policies.ts'
import type { Verdict } from './store.ts'
import { undoing } from './undoing.ts'

/** How something is acquired. */
export interface AcquireOptions {
  /**
   * Who holds, such as a session's id: what it holds already is renewed and costs nothing. Default: a
   * new one, which makes every acquisition another.
   */
  readonly id?: string | undefined
}

/** One subject of several, and what is asked of its policies as one step. */
export interface SubjectRequests<Name extends string = string> {
  readonly subject: string
  readonly requests: PolicyRequest<Name> | readonly PolicyRequest<Name>[]
}

/** An outcome with what it holds; nothing when denied. */
export type Admission<Name extends string = string> =
  | (Outcome<Name> & { readonly allowed: true; readonly lease: Lease<Name> })
  | (Outcome<Name> & { readonly allowed: false; readonly lease: undefined })

/** One subject's requests, checked. */
interface Step<Name extends string> {
  readonly subject: string
  readonly asked: readonly Asked<Name>[]
}

interface Grant<Name extends string> extends Step<Name> {
  readonly verdicts: readonly Verdict[]
  readonly decisions: readonly Decision<Name>[]
}

/** How a limiter carries out an acquisition. */
export interface Acquisition<Name extends string> {
  /** Under which everything is held. */
  readonly id: string
  /** At least one, each of another subject. */
  readonly steps: readonly Step<Name>[]
  readonly ask: Ask
  /** Told what each subject said, if anybody listens. */
  readonly report: ((subject: string, decisions: readonly Decision<Name>[]) => void) | undefined
}

/**
 * Asks the subjects in order. When one denies, or asking fails, what those before it granted is given
 * back; what can't be given back stays charged, and lapses.
 */
export async function acquireInOrder<Name extends string>(
  acquisition: Acquisition<Name>,
): Promise<Admission<Name>> {
  const { id, steps, ask, report } = acquisition
  const grants: Grant<Name>[] = []
  for (const { subject, asked } of steps) {
    const answer = askOrGiveBack(subject, asked, grants, ask)
    // Not awaited where there is nothing to wait for.
    const verdicts = 'then' in answer ? await answer : answer
    const decisions = decisionsOf(asked, verdicts)
    report?.(subject, decisions)
    if (decisions.some(isDenial)) {
      const before = (await giveBackAll(grants, ask)).flatMap((grant) => grant.decisions)
      return { ...outcomeOf([...before, ...decisions]), allowed: false, lease: undefined }
    }
    grants.push({ subject, asked, verdicts, decisions })
  }
  return {
    ...outcomeOf(grants.flatMap(({ decisions }) => decisions)),
    allowed: true,
    lease: new StoreLease<Name>(id, heldOf(grants), ask),
  }
}

function isDenial({ allowed, shadow }: Decision): boolean {
  return !allowed && !shadow
}

function askOrGiveBack<Name extends string>(
  subject: string,
  asked: readonly Asked<Name>[],
  grants: readonly Grant<Name>[],
  ask: Ask,
): ReturnType<Ask> {
  try {
    const answer = ask(subject, asked)
    return 'then' in answer ? answer.catch((error) => failed(error, grants, ask)) : answer
  } catch (error) {
    return failed(error, grants, ask)
  }
}

async function failed<Name extends string>(
  error: unknown,
  grants: readonly Grant<Name>[],
  ask: Ask,
): Promise<never> {
  await giveBackAll(grants, ask)
  throw error
}

function giveBackAll<Name extends string>(
  grants: readonly Grant<Name>[],
  ask: Ask,
): Promise<readonly Grant<Name>[]> {
  return Promise.all(grants.map((grant) => giveBack(grant, ask)))
}

/** The grant as it stands after what it took was given back. */
async function giveBack<Name extends string>(grant: Grant<Name>, ask: Ask): Promise<Grant<Name>> {
  const { subject, asked, verdicts } = grant
  const undone = asked.flatMap((one, at) => {
    const request = undoing(one, verdicts[at])
    return request === undefined ? [] : [{ at, request }]
  })
  if (undone.length === 0) return grant
  try {
    const after = await ask(
      subject,
      undone.map(({ request }) => request),
    )
    const told = [...verdicts]
    for (const [index, { at }] of undone.entries()) {
      const [was, is] = [verdicts[at], after[index]]
      if (was && is) told[at] = { ...was, remaining: is.remaining, resetMs: is.resetMs }
    }
    return { ...grant, verdicts: told, decisions: decisionsOf(asked, told) }
  } catch {
    // The store is away: the denial stands all the same, and what is held lapses by itself.
    return grant
  }
}

function decisionsOf<Name extends string>(
  asked: readonly Asked<Name>[],
  verdicts: readonly Verdict[],
): readonly Decision<Name>[] {
  return asked.map(({ limit }, at) => decisionOf(limit, verdicts[at]))
}

function heldOf<Name extends string>(grants: readonly Grant<Name>[]): Held<Name>[] {
  const held: Held<Name>[] = []
  for (const { subject, asked, verdicts } of grants) {
    asked.forEach((one, at) => {
      if (one.id !== undefined && verdicts[at]?.applied === true) held.push({ subject, asked: one })
    })
  }
  return held
}
