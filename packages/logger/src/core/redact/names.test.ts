import { describe, expect, it } from 'vitest'
import { createSecretNames, isSecretQueryName } from './names.ts'

describe('createSecretNames', () => {
  const isSecretName = createSecretNames()

  it.each([
    ...['authorization', 'Proxy-Authorization', 'cookie', 'Set-Cookie', 'x-api-key', 'X_API_KEY'],
    ...['apikey', 'apiKey', 'api.key', 'x-admin-key', 'password', 'passwd', 'DB_PASS', 'pwd'],
    ...['secret', 'client_secret', 'clientSecret', 'sessionSecret', 'secretMessage', 'secret_id'],
    ...['token', 'accessToken', 'x-csrf-token', 'refresh_tokens', 'authtoken', 'credentials'],
    ...['private_key', 'AWS_SECRET_ACCESS_KEY', 'OPENAI_API_KEY', 'passphrase', 'jwt', 'signature'],
    ...['headers.authorization', 'req.headers["x-api-key"]', 'Ocp-Apim-Subscription-Key'],
  ])('takes %s for a secret', (name) => {
    expect(isSecretName(name)).toBe(true)
  })

  it.each([
    ...['tokens', 'total_tokens', 'prompt_tokens', 'maxTokens', 'x-ratelimit-remaining-tokens'],
    ...['tokens_per_minute', 'token_count', 'time_to_first_token_ms', 'tokenizer', 'token_type'],
    ...['key', 'cache_key', 'public_key', 'api_key_id', 'key_id', 'credential_id', 'cookie_name'],
    ...['password_required', 'usage', 'monkey', 'compass', 'path', 'user', '', '漢字'],
  ])('takes %s for no secret', (name) => {
    expect(isSecretName(name)).toBe(false)
  })

  it('knows extra names without case and separators', () => {
    const withOwn = createSecretNames(['licence-no'])
    expect(['licence_no', 'LicenceNo', 'LICENCE NO'].map(withOwn)).toEqual([true, true, true])
    expect(withOwn('licence')).toBe(false)
  })
})

describe('isSecretQueryName', () => {
  it('adds what is too general for a field', () => {
    expect(['key', 'sig', 'code'].map(isSecretQueryName)).toEqual([true, true, true])
    expect(isSecretQueryName('page')).toBe(false)
  })
})
