import { Agent } from 'undici'
import type { Settings } from '../config/settings.ts'
import { fetchJson } from './fetch-json.ts'
import type { Identity } from './identity.ts'
import { Introspection } from './introspection.ts'
import { type Issuer, JwtVerifier } from './jwt.ts'
import { createKeyRing, type KeyRing } from './key-ring.ts'
import type { Presented } from './presented.ts'
import { RemoteSigningKeys, type SigningKeysState } from './signing-keys.ts'
import { type TokenVerifier, unknown, type Verdict } from './verdict.ts'

const KEYS_TIMEOUT_MS = 5_000
const MOST_KEYS_BYTES = 512 * 1024
const MOST_CLAIMS_BYTES = 64 * 1024

/** What happens while callers are told apart, for the log. */
export interface CallersEvents {
  /** Fetching an issuer's keys began to fail, or works again. */
  readonly onKeys: (
    issuer: string,
    event: { readonly available: boolean; readonly error?: unknown },
  ) => void
  /** A token could not be judged, through no fault of its own. */
  readonly onFault: (authority: string, error: unknown) => void
}

/** A credential with what it turned out to be. */
export interface Judged {
  readonly presented: Presented
  readonly verdict: Verdict
}

/** Knows whose a credential is. */
export interface Callers {
  /** Whose it is, where that is known already: nothing is computed or asked that a stranger could cause. */
  recall(presented: Presented): Identity | undefined
  /** What each of the credentials is, in their order. */
  judge(presented: readonly Presented[]): readonly Judged[] | Promise<readonly Judged[]>
  /** What is known of the issuers' keys. */
  readonly signingKeys: readonly SigningKeysState[]
  /** Whether there are tokens to be judged at all. */
  readonly takesTokens: boolean
  close(): Promise<void>
}

/** Begins to fetch the keys of all issuers. */
export function createCallers(
  settings: Pick<Settings, 'keys' | 'auth' | 'tiers'>,
  events: CallersEvents,
): Callers {
  const { auth } = settings
  const agent = new Agent({ allowH2: false, connections: 64, keepAliveTimeout: 30_000 })
  const tiers = new Set(settings.tiers.map(({ name }) => name))
  const now = Date.now
  const issuers = auth.jwt.map((issuer): Issuer => {
    const keys = new RemoteSigningKeys({
      settings: issuer,
      fetch: (url) =>
        fetchJson(agent, { url, timeoutMs: KEYS_TIMEOUT_MS, maxBytes: MOST_KEYS_BYTES }),
      ...{ now, schedule },
      onChange: (event) => events.onKeys(issuer.issuer, event),
    })
    keys.start()
    return { settings: issuer, keys }
  })
  const jwt =
    issuers.length === 0
      ? undefined
      : new JwtVerifier({ ...{ issuers, tiers, now }, onFault: events.onFault })
  const introspection =
    auth.introspection && introspectionOf(auth.introspection, { agent, tiers, now, events })
  const verifiers = [jwt, introspection].filter((each) => each !== undefined)
  const ring = createKeyRing(settings.keys)
  return {
    recall: ({ key }) => recall(ring, verifiers, key),
    judge: (presented) => judge(presented, ring, jwt, introspection),
    get signingKeys() {
      return issuers.map(({ keys }) => keys.state)
    },
    takesTokens: verifiers.length > 0,
    async close() {
      for (const { keys } of issuers) keys.close()
      await agent.destroy()
    },
  }
}

function schedule(work: () => void, ms: number): () => void {
  const timer = setTimeout(work, ms).unref()
  return () => clearTimeout(timer)
}

function introspectionOf(
  settings: NonNullable<Settings['auth']['introspection']>,
  {
    agent,
    tiers,
    now,
    events,
  }: {
    readonly agent: Agent
    readonly tiers: ReadonlySet<string>
    readonly now: () => number
    readonly events: CallersEvents
  },
): Introspection {
  const { url, timeout } = settings
  const limits = { timeoutMs: timeout, maxBytes: MOST_CLAIMS_BYTES }
  return new Introspection({
    ...{ settings, tiers, now },
    ask: (form, authorization) => fetchJson(agent, { url, ...limits, form, authorization }),
    onFault: (error) => events.onFault(new URL(url).host, error),
  })
}

function recall(
  ring: KeyRing,
  verifiers: readonly TokenVerifier[],
  credential: string,
): Identity | undefined {
  const owner = ring(credential)
  if (owner !== undefined) return owner.identity
  for (const verifier of verifiers) {
    const found = verifier.recall(credential)
    if (found !== undefined) return found.identity
  }
  return undefined
}

/**
 * Keys first, as they are looked up at once, then JWTs. An authorization server is asked only about what
 * nothing here knows and when nothing here is good: a provider's key that came beside ours is not shown
 * to it.
 */
function judge(
  presented: readonly Presented[],
  ring: KeyRing,
  jwt: TokenVerifier | undefined,
  introspection: TokenVerifier | undefined,
): readonly Judged[] | Promise<readonly Judged[]> {
  let waits = false
  const first = presented.map(({ key }): Verdict | Promise<Verdict> => {
    const verdict = ring(key) ?? jwt?.verify(key) ?? unknown
    waits ||= verdict instanceof Promise
    return verdict
  })
  const pair = (verdicts: readonly Verdict[]): readonly Judged[] =>
    presented.map((each, at) => ({ presented: each, verdict: verdicts[at] ?? unknown }))
  if (!waits) {
    const verdicts = first as readonly Verdict[]
    if (introspection === undefined || !isOpen(verdicts)) return pair(verdicts)
  }
  return Promise.all(first).then(async (verdicts) => {
    if (introspection === undefined || !isOpen(verdicts)) return pair(verdicts)
    const second = verdicts.map((verdict, at) =>
      verdict.kind === 'unknown' ? introspection.verify(presented[at]?.key ?? '') : verdict,
    )
    return pair(await Promise.all(second))
  })
}

/** Whether nothing is good yet, and something is still unknown. */
function isOpen(verdicts: readonly Verdict[]): boolean {
  return (
    verdicts.every(({ kind }) => kind !== 'known') &&
    verdicts.some(({ kind }) => kind === 'unknown')
  )
}
