import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  headers,
  OTHER_SECRET,
  refused,
  STRANGE,
  setUp,
  VECTOR,
  verified,
} from './standard-webhooks.fixture.ts'
import {
  createWebhookSigner,
  createWebhookVerifier,
  generateWebhookSecret,
  isWebhookSecret,
} from './standard-webhooks.ts'

/** Any UTF-16, lone surrogates and NUL among it. */
const utf16 = (maxLength: number) =>
  fc.array(fc.nat(0xffff), { maxLength }).map((codes) => String.fromCharCode(...codes))

describe('createWebhookSigner', () => {
  it.each([VECTOR.secret, VECTOR.secret.slice(6), { reveal: () => VECTOR.secret }])(
    'signs the published example (%#)',
    (secrets) => {
      expect(createWebhookSigner({ secrets }).sign(VECTOR)).toEqual(headers)
    },
  )

  it('takes the time from its clock and makes an id for each delivery', () => {
    const signer = createWebhookSigner({ secrets: VECTOR.secret, now: () => 1_700_000_000_999 })
    const [a, b] = [signer.sign({ body: '' }), signer.sign({ body: '' })]
    expect(a['webhook-timestamp']).toBe('1700000000')
    expect(a['webhook-id']).toMatch(/^msg_[0-9A-Za-z]{27}$/)
    expect(a['webhook-id']).not.toBe(b['webhook-id'])
  })

  it('signs with each secret while one takes the place of another', async () => {
    const signer = createWebhookSigner({ secrets: [OTHER_SECRET, VECTOR.secret] })
    const sent = signer.sign(VECTOR)
    expect(sent['webhook-signature'].split(' ')).toHaveLength(2)
    for (const secrets of [OTHER_SECRET, VECTOR.secret]) {
      expect(await setUp({ secrets }).verify({ ...sent })).toEqual(verified)
    }
  })

  it.each(['', 'a.b', 'a b', 'a,b', 'a\nb', 'ä', 'a'.repeat(257)])('refuses the id %j', (id) => {
    const signer = createWebhookSigner({ secrets: VECTOR.secret })
    expect(() => signer.sign({ id, body: '' })).toThrow(
      expect.objectContaining({ code: 'invalid_option', message: expect.stringMatching(/^id /) }),
    )
  })

  it.each([-1, 1.5, Number.NaN, 1e11])('refuses the timestamp %s', (timestamp) => {
    const signer = createWebhookSigner({ secrets: VECTOR.secret })
    expect(() => signer.sign({ timestamp, body: '' })).toThrow(/timestamp has to be whole seconds/)
  })

  it.each([
    'whsec_',
    `whsec_${Buffer.alloc(23, 1).toString('base64')}`,
    `whsec_${Buffer.alloc(65, 1).toString('base64')}`,
    'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS!',
    ' whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    'whpk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    undefined,
    { reveal: () => undefined },
  ])('refuses the secret %j and does not show it', (secret) => {
    const secrets = [VECTOR.secret, secret as string]
    const message = `secrets[1] has to be whsec_ and 24 to 64 random bytes as base64, as generateWebhookSecret() makes them.`
    const error = expect.objectContaining({ code: 'invalid_option', message })
    expect(() => createWebhookSigner({ secrets })).toThrow(error)
    expect(() => createWebhookVerifier({ secrets })).toThrow(error)
  })

  it('refuses to be without a secret', () => {
    expect(() => createWebhookSigner({ secrets: [] })).toThrow(/secrets is empty/)
  })

  it('refuses a body that was parsed', () => {
    const signer = createWebhookSigner({ secrets: VECTOR.secret })
    expect(() => signer.sign({ body: { test: 1 } as never })).toThrow(/not what was parsed of them/)
  })
})

describe('generateWebhookSecret', () => {
  it('makes secrets of 32 bytes that differ', async () => {
    const secret = generateWebhookSecret()
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
    expect(generateWebhookSecret()).not.toBe(secret)
    const sent = createWebhookSigner({ secrets: secret }).sign(VECTOR)
    expect(await setUp({ secrets: secret }).verify({ ...sent })).toEqual(verified)
  })
})

describe('isWebhookSecret', () => {
  it('is true of what signers and verifiers take', () => {
    expect(isWebhookSecret(generateWebhookSecret())).toBe(true)
    expect(isWebhookSecret(VECTOR.secret.slice(6))).toBe(true)
    const tooMuch = `whsec_${'AAAA'.repeat(1_000_000)}`
    for (const other of [
      '',
      'whsec_',
      'whsec_c2hvcnQ=',
      `${VECTOR.secret}!`,
      tooMuch,
      undefined,
      7,
    ]) {
      expect(isWebhookSecret(other)).toBe(false)
    }
  })
})

describe('createWebhookVerifier', () => {
  it('takes the published example from every kind of headers', async () => {
    const { verifier, verify } = setUp()
    const node = { ...headers, host: 'a', 'set-cookie': ['b', 'c'], 'webhook-id': [VECTOR.id] }
    const capitals = {
      'Webhook-Id': VECTOR.id,
      'WEBHOOK-TIMESTAMP': headers['webhook-timestamp'],
      'webhook-Signature': VECTOR.signature,
    }
    for (const given of [
      headers,
      node,
      capitals,
      new Headers(headers),
      new Map(Object.entries(headers)),
    ]) {
      expect(await verifier.verify(given as never, VECTOR.body)).toEqual(verified)
    }
    expect(await verify({}, Buffer.from(VECTOR.body))).toEqual(verified)
    expect(await verify({}, new TextEncoder().encode(VECTOR.body))).toEqual(verified)
  })

  it('takes any of several signatures, those of other versions aside', async () => {
    const { verify } = setUp()
    const signature = [`v1,${STRANGE}`, `v2,${STRANGE}`, VECTOR.signature, `v1,${STRANGE}`].join(
      ' ',
    )
    expect(await verify({ 'webhook-signature': signature })).toEqual(verified)
  })

  it('signs the bytes themselves', async () => {
    const body = Buffer.from([0xff, 0x00, 0xfe, 0x0a])
    const key = Buffer.from(VECTOR.secret.slice(6), 'base64')
    const start = `${VECTOR.id}.${VECTOR.timestamp}.`
    const mac = createHmac('sha256', key).update(Buffer.concat([Buffer.from(start), body]))
    const signature = `v1,${mac.digest('base64')}`
    expect(await setUp().verify({ 'webhook-signature': signature }, body)).toEqual(verified)
  })

  it.each([
    ['webhook-id', undefined, 'missing_header'],
    ['webhook-timestamp', undefined, 'missing_header'],
    ['webhook-signature', undefined, 'missing_header'],
    ['webhook-signature', '', 'missing_header'],
    ['webhook-id', [], 'missing_header'],
    ['webhook-id', [VECTOR.id, VECTOR.id], 'duplicate_header'],
    ['webhook-timestamp', ['1614265330', '9'], 'duplicate_header'],
    ['webhook-signature', [VECTOR.signature, VECTOR.signature], 'duplicate_header'],
    ['Webhook-Id', VECTOR.id, 'duplicate_header'],
    ['webhook-id', `${VECTOR.id}, ${VECTOR.id}`, 'bad_id'],
    ['webhook-id', 'msg.1', 'bad_id'],
    ['webhook-id', 'msg\0', 'bad_id'],
    ['webhook-id', 'm'.repeat(1_000_000), 'bad_id'],
    ['webhook-id', 'ｍsg', 'bad_id'],
    ['webhook-timestamp', 'hello', 'bad_timestamp'],
    ['webhook-timestamp', '1614265330, 1614265330', 'bad_timestamp'],
    ['webhook-timestamp', ' 1614265330', 'bad_timestamp'],
    ['webhook-timestamp', '01614265330', 'bad_timestamp'],
    ['webhook-timestamp', '1614265330.0', 'bad_timestamp'],
    ['webhook-timestamp', '1.61426533e9', 'bad_timestamp'],
    ['webhook-timestamp', '-1614265330', 'bad_timestamp'],
    ['webhook-timestamp', '١٦١٤٢٦٥٣٣٠', 'bad_timestamp'],
    ['webhook-timestamp', '9'.repeat(1_000_000), 'bad_timestamp'],
    ['webhook-timestamp', '99999999999', 'too_new'],
    ['webhook-timestamp', '0', 'too_old'],
    ['webhook-timestamp', '1614265331', 'no_match'],
    ['webhook-id', 'msg_other', 'no_match'],
    ['webhook-signature', 'v1,', 'no_match'],
    ['webhook-signature', 'v1', 'no_match'],
    ['webhook-signature', 'v1,dawfeoifkpqwoekfpqoekf', 'no_match'],
    ['webhook-signature', VECTOR.signature.slice(0, 8), 'no_match'],
    ['webhook-signature', VECTOR.signature.slice(0, -1), 'no_match'],
    ['webhook-signature', `${VECTOR.signature}=`, 'no_match'],
    ['webhook-signature', VECTOR.signature.slice(3), 'no_match'],
    ['webhook-signature', VECTOR.signature.replace('v1', 'v2'), 'no_match'],
    ['webhook-signature', VECTOR.signature.replace('v1', 'v1a'), 'no_match'],
    ['webhook-signature', VECTOR.signature.replace('+', '-'), 'no_match'],
    ['webhook-signature', `\0${VECTOR.signature}`, 'no_match'],
    ['webhook-signature', `v1,${STRANGE} `.repeat(20_000), 'no_match'],
  ])('refuses %s of %j: %s', async (name, value, reason) => {
    expect(await setUp().verify({ [name]: value })).toEqual(refused(reason))
  })

  it.each([
    '',
    '{"test":2432232314}',
    `${VECTOR.body}\n`,
    `${VECTOR.body}\0`,
    `\ufeff${VECTOR.body}`,
  ])('refuses the body %j', async (body) => {
    expect(await setUp().verify({}, body)).toEqual(refused('no_match'))
  })

  it('refuses whatever differs in one bit', async () => {
    const { verify } = setUp()
    const position = fc.integer({ min: 0, max: VECTOR.body.length * 8 - 1 })
    await fc.assert(
      fc.asyncProperty(position, fc.integer({ min: 0, max: 255 }), async (bit, signatureBit) => {
        const body = Buffer.from(VECTOR.body)
        body[bit >> 3] = Number(body[bit >> 3]) ^ (1 << (bit & 7))
        expect(await verify({}, body)).toEqual(refused('no_match'))
        const mac = Buffer.from(VECTOR.signature.slice(3), 'base64')
        mac[signatureBit >> 3] = Number(mac[signatureBit >> 3]) ^ (1 << (signatureBit & 7))
        const signature = `v1,${mac.toString('base64')}`
        expect(await verify({ 'webhook-signature': signature })).toEqual(refused('no_match'))
      }),
    )
  })

  it('refuses another secret', async () => {
    expect(await setUp({ secrets: OTHER_SECRET }).verify()).toEqual(refused('no_match'))
    expect(await setUp({ secrets: [OTHER_SECRET, VECTOR.secret] }).verify()).toEqual(verified)
  })

  it('takes what a signer signs, whatever the body, and nothing a stranger makes up', async () => {
    const { verifier, now } = setUp()
    const signer = createWebhookSigner({ secrets: VECTOR.secret, now })
    const body = fc.oneof(utf16(100), fc.uint8Array({ maxLength: 200 }))
    await fc.assert(
      fc.asyncProperty(body, utf16(60), async (sent, made) => {
        const signed = signer.sign({ body: sent })
        expect(await verifier.verify({ ...signed }, sent)).toMatchObject({ ok: true })
        const forged = { ...signed, 'webhook-signature': made }
        expect(await verifier.verify(forged, sent)).toMatchObject({ ok: false })
      }),
    )
  })

  it.each([
    [300_000, undefined],
    [300_001, 'too_old'],
    [-300_000, undefined],
    [-300_001, 'too_new'],
  ])('takes five minutes each way: %d ms', async (late, reason) => {
    const { verify, clock } = setUp()
    clock.now += late
    expect(await verify()).toEqual(reason ? refused(reason) : verified)
  })

  it('takes another tolerance, and refuses one that is none', async () => {
    const { verify, clock } = setUp({ toleranceMs: 0 })
    expect(await verify()).toEqual(verified)
    clock.now += 1
    expect(await verify()).toEqual(refused('too_old'))
    for (const toleranceMs of [-1, Number.NaN, Number.POSITIVE_INFINITY, '5' as never]) {
      expect(() => setUp({ toleranceMs })).toThrow(/toleranceMs has to be a whole number/)
    }
  })

  it('rejects a body that was parsed', async () => {
    const { verifier } = setUp()
    await expect(verifier.verify(headers, JSON.parse(VECTOR.body))).rejects.toThrow(
      expect.objectContaining({ code: 'invalid_option' }),
    )
  })
})
