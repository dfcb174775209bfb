import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createMemoryReplayStore } from './replay-store.ts'
import { createStripeStyleVerifier, type StripeStyleVerifierOptions } from './stripe-style.ts'

const SECRET = 'whsec_5WbX5kEWLlfzsGNjH64I8lOOqUB6e8FH'
const OTHER_SECRET = 'whsec_T1nYq0Kx8v2LbR7cM4dWz9PfJ3hGs6Ua'
const BODY = '{"id": "evt_1", "object": "event"}'
const SECONDS = 1_700_000_000

const refused = (reason: string) => ({ ok: false, reason })
const verified = { ok: true, timestamp: SECONDS }

/** What Stripe documents: the hex HMAC-SHA256 of `t.body`, keyed by the text of the secret. */
function hexOf(
  secret = SECRET,
  body: string | Uint8Array = BODY,
  seconds: number | string = SECONDS,
) {
  return createHmac('sha256', secret).update(`${seconds}.`).update(body).digest('hex')
}

function setUp(options: Partial<StripeStyleVerifierOptions> = {}) {
  const clock = { now: SECONDS * 1000 }
  const now = () => clock.now
  const verifier = createStripeStyleVerifier({ secrets: SECRET, now, ...options })
  const verify = (signature: unknown, body: string | Uint8Array = BODY) =>
    verifier.verify({ 'stripe-signature': signature as string }, body)
  return { clock, now, verifier, verify }
}

describe('createStripeStyleVerifier', () => {
  const right = `t=${SECONDS},v1=${hexOf()}`

  it('takes what Stripe sends, older schemes and other signatures beside', async () => {
    const { verifier, verify } = setUp()
    const other = hexOf(OTHER_SECRET)
    expect(await verify(right)).toEqual(verified)
    expect(await verify(`t=${SECONDS},v1=${other},v1=${hexOf()},v0=${other}`)).toEqual(verified)
    expect(await verify(`v1=${hexOf()}, t=${SECONDS}`)).toEqual(verified)
    expect(await verifier.verify(new Headers({ 'Stripe-Signature': right }), BODY)).toEqual(
      verified,
    )
    expect(await verify(right, Buffer.from(BODY))).toEqual(verified)
  })

  it('takes another header and any of several secrets', async () => {
    const { verifier } = setUp({ header: 'X-Acme-Signature', secrets: [OTHER_SECRET, SECRET] })
    expect(await verifier.verify({ 'x-acme-signature': right }, BODY)).toEqual(verified)
    expect(await verifier.verify({ 'stripe-signature': right }, BODY)).toEqual(
      refused('missing_header'),
    )
  })

  it.each([
    [undefined, 'missing_header'],
    ['', 'missing_header'],
    [[right, right], 'duplicate_header'],
    [`v1=${hexOf()}`, 'bad_timestamp'],
    [`${right},t=${SECONDS}`, 'bad_timestamp'],
    [`t=${SECONDS},t=1,v1=${hexOf()}`, 'bad_timestamp'],
    [`t=,v1=${hexOf()}`, 'bad_timestamp'],
    [`t=0x10,v1=${hexOf()}`, 'bad_timestamp'],
    [`t=${'1'.repeat(1_000_000)},v1=${hexOf()}`, 'bad_timestamp'],
    ['garbage', 'bad_timestamp'],
    [`t=${SECONDS + 1},v1=${hexOf()}`, 'no_match'],
    [`t=${SECONDS}`, 'no_match'],
    [`t=${SECONDS},v1=`, 'no_match'],
    [`t=${SECONDS},v0=${hexOf()}`, 'no_match'],
    [`t=${SECONDS},v1=${hexOf().toUpperCase()}`, 'no_match'],
    [`t=${SECONDS},v1=${hexOf().slice(0, -2)}`, 'no_match'],
    [`t=${SECONDS},v1=${hexOf()}00`, 'no_match'],
    [`t=${SECONDS},v1=${hexOf().slice(0, -1)}\0`, 'no_match'],
    [`t=${SECONDS},v1=${hexOf(OTHER_SECRET)}`, 'no_match'],
    [`t=${SECONDS}${`,v1=${hexOf(OTHER_SECRET)}`.repeat(10_000)}`, 'no_match'],
    [`t=1,v1=${hexOf(SECRET, BODY, 1)}`, 'too_old'],
    [`t=99999999999,v1=${hexOf(SECRET, BODY, '99999999999')}`, 'too_new'],
  ])('refuses %j: %s', async (header, reason) => {
    expect(await setUp().verify(header)).toEqual(refused(reason))
  })

  it('takes five minutes each way', async () => {
    const { verify, clock } = setUp()
    for (const [late, reason] of [
      [300_000, undefined],
      [300_001, 'too_old'],
      [-300_000, undefined],
      [-300_001, 'too_new'],
    ] as const) {
      clock.now = SECONDS * 1000 + late
      expect(await verify(right)).toEqual(reason ? refused(reason) : verified)
    }
  })

  it('takes each body with its own signature alone', async () => {
    const { verify } = setUp()
    const body = fc.uint8Array({ maxLength: 100 })
    await fc.assert(
      fc.asyncProperty(body, body, async (signed, other) => {
        const header = `t=${SECONDS},v1=${hexOf(SECRET, signed)}`
        expect(await verify(header, signed)).toEqual(verified)
        if (!Buffer.from(signed).equals(other)) {
          expect(await verify(header, other)).toEqual(refused('no_match'))
        }
      }),
    )
  })

  it('refuses a copy, also one that leaves another signature in', async () => {
    const { now } = setUp()
    const replayStore = createMemoryReplayStore({ now })
    const { verify } = setUp({ replayStore, secrets: [SECRET, OTHER_SECRET] })
    expect(await verify(`${right},v1=${hexOf(OTHER_SECRET)}`)).toEqual(verified)
    expect(await verify(right)).toEqual(refused('replayed'))
    expect(await verify(`t=${SECONDS},v1=${hexOf(OTHER_SECRET)}`)).toEqual(refused('replayed'))
    const next = '{"id": "evt_2"}'
    expect(await verify(`t=${SECONDS},v1=${hexOf(SECRET, next)}`, next)).toEqual(verified)
  })

  it('refuses a copy that comes to a replica with other secrets', async () => {
    const replayStore = createMemoryReplayStore({ now: () => SECONDS * 1000 })
    const [before, after] = [SECRET, [OTHER_SECRET, SECRET]].map((secrets) =>
      setUp({ replayStore, secrets }),
    )
    expect(await before?.verify(right)).toEqual(verified)
    expect(await after?.verify(right)).toEqual(refused('replayed'))
  })

  it.each(['', 'short', ` ${SECRET}`, `${SECRET}\n`, 'sécret-sécret-sécret', 'a'.repeat(513)])(
    'refuses the secret %j',
    (secrets) => {
      expect(() => createStripeStyleVerifier({ secrets })).toThrow(
        expect.objectContaining({
          code: 'invalid_option',
          message:
            'secrets has to be 16 to 512 characters of visible ASCII, just as the sender shows it.',
        }),
      )
    },
  )
})
