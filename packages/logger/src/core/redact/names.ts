/** Tells whether a field of this name holds a secret, whatever its case and separators. */
export type SecretNames = (name: string) => boolean

const SECRET =
  /authorization|cookie|passw|passphrase|passcode|secret|credential|bearer|(?:private|api|admin|access|signing|encryption|decryption|master|service|subscription|account|shared|storage|functions|host|ssh|deploy|license|webhook)keys?(?!id)|connectionstring|mnemonic|signature$|^pass$|(?:db|pg|sql|redis|smtp|mail|user|admin|root)pass$|pwd$|pepper$|jwt$|^otp$|otpcode$|^pin$|^cvv$|^cvc$/

/** Names that speak about a secret without holding it: `api_key_id`, `cookie_name`, `password_required`. */
const ABOUT =
  /(?:keyids?|credentialids?|tokenids?|cookieids?|names?|counts?|types?|kinds?|versions?|lengths?|limits?|policy|policies|required|enabled|expir\w*|status|source|endpoint|algorithm)$/

/** `token` itself, but not `tokens` (a count), `tokenizer`, or a measure such as `time_to_first_token_ms`. */
const TOKEN =
  /(?<!first|last|per|max|min|num|total|each|prompt|completion|input|output)token(?!s|iz|is(?:e|ation)|count|limit|usage|used|budget|cost|rate|price|length|type|kind|endpoint|url|expir)/

/** Plurals that are credentials all the same. */
const TOKEN_LIST = /(?:access|refresh|auth|bearer|api|csrf|xsrf|device|push)tokens$/

/** Too general for a field's name, but secret as a query parameter. */
const QUERY_NAME = /^(?:key|sig|code|auth|sid|session|sessionid)$/

function flatten(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]+/g, '')
}

function isSecret(flat: string): boolean {
  if (flat.endsWith('secretid')) return true
  if (ABOUT.test(flat)) return false
  return SECRET.test(flat) || TOKEN.test(flat) || TOKEN_LIST.test(flat)
}

/**
 * Makes the test for secret names: the known ones and `extra`, compared without case and separators
 * (`X-Api-Key`, `apiKey` and `api_key` are one name).
 */
export function createSecretNames(extra: readonly string[] = []): SecretNames {
  const own = new Set(extra.map(flatten))
  return (name) => {
    const flat = flatten(name)
    return own.has(flat) || isSecret(flat)
  }
}

/** Tells whether a query parameter of this name is secret although a field of that name isn't. */
export function isSecretQueryName(name: string): boolean {
  return QUERY_NAME.test(flatten(name))
}
