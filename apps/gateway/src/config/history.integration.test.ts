import { describe, expect, it } from 'vitest'
import { check, file, problemsOf, settingsOf } from './check.fixture.ts'
import type { TelemetrySettings } from './settings.ts'

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

async function settings(telemetry: string): Promise<TelemetrySettings> {
  return settingsOf(await check(file({ top: `telemetry: ${telemetry}` }))).telemetry
}

async function refusalOf(telemetry: string): Promise<string> {
  return problemsOf(await check(file({ top: `telemetry: ${telemetry}` }))).join('\n')
}

describe('telemetry.history', () => {
  it('is on unless it is off, or has no metrics to be made of', async () => {
    const kept = { seconds: 600_000, minutes: 86_400_000, metrics: 500 }
    expect((await settings('{}')).history).toEqual(kept)
    expect((await settings('{ history: { minutes: 7d } }')).history).toEqual({
      ...{ ...kept, minutes: 7 * 86_400_000 },
    })
    for (const off of ['{ history: off }', '{ metrics: false }']) {
      expect(await settings(off)).toMatchObject({ history: undefined, anomalies: undefined })
    }
  })
})

describe('telemetry.anomalies', () => {
  it('are watched unless they are off', async () => {
    expect((await settings('{}')).anomalies).toEqual({ threshold: 6 })
    expect((await settings('{ anomalies: off }')).anomalies).toBeUndefined()
  })

  it('are told to a webhook', async () => {
    const webhook = `{ url: 'https://alerts.example/hook', secret: ${SECRET} }`
    const { anomalies } = await settings(`{ anomalies: { webhook: ${webhook} } }`)
    expect(anomalies?.webhook).toMatchObject({
      ...{ url: 'https://alerts.example/hook', allowPrivate: false },
    })
    expect(anomalies?.webhook?.secret.reveal()).toBe(SECRET)
  })

  it.each(['whsec_c2hvcnQ=', 'CANARY-secret', `whsec_${'='.repeat(44)}`])(
    'refuses the secret %s, and shows none of it',
    async (secret) => {
      const webhook = `{ url: 'https://alerts.example/hook', secret: '${secret}' }`
      const refusal = await refusalOf(`{ anomalies: { webhook: ${webhook} } }`)
      expect(refusal).toContain('24 to 64 random bytes as base64')
      expect(refusal).not.toContain(secret)
    },
  )

  it.each([
    ...['http://127.0.0.1/hook', 'http://10.1.2.3/', 'http://[::1]/', 'http://169.254.169.254/'],
    'https://user:CANARY@alerts.example/',
  ])('refuses %s', async (url) => {
    const refusal = await refusalOf(
      `{ anomalies: { webhook: { url: '${url}', secret: ${SECRET} } } }`,
    )
    expect(refusal).toContain('telemetry.anomalies.webhook.url')
    expect(refusal).not.toContain('CANARY')
  })

  it.each([
    ['http://localhost:9/', 'allowPrivate'],
    ['http://hooks.localhost/', 'allowPrivate'],
    ['http://[::ffff:127.0.0.1]/', 'nothing is ever posted to'],
    ['http://0x7f.1/', 'allowPrivate'],
    ['http://169.254.169.254/', 'nothing is ever posted to'],
    ['https://user:CANARY@alerts.example/', 'no user or password'],
  ])('says of %s what is to be done: %s', async (url, remedy) => {
    const webhook = `{ url: '${url}', secret: ${SECRET} }`
    expect(await refusalOf(`{ anomalies: { webhook: ${webhook} } }`)).toContain(remedy)
  })

  it.each([
    ['history: off', 'telemetry.history is off'],
    ['metrics: off', 'telemetry.metrics is off'],
  ])('refuses a webhook that would never be told anything: %s', async (off, why) => {
    const webhook = `{ url: 'https://alerts.example/hook', secret: ${SECRET} }`
    expect(await refusalOf(`{ ${off}, anomalies: { webhook: ${webhook} } }`)).toContain(why)
  })

  it('posts to a private address that is allowed, and never to where clouds keep credentials', async () => {
    const allowing = (url: string) =>
      `{ anomalies: { webhook: { url: '${url}', secret: ${SECRET}, allowPrivate: true } } }`
    expect(await refusalOf(allowing('http://10.1.2.3/'))).toBe('')
    expect(await refusalOf(allowing('http://169.254.169.254/'))).not.toBe('')
  })
})
