import { CheckError, type CheckFault, type CheckOutcome } from './check.ts'

const KNOWN: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'The connection was refused: nobody listens there.',
  ECONNRESET: 'The connection was reset.',
  EPIPE: 'The connection was closed by the other side.',
  ETIMEDOUT: 'The connection timed out.',
  EHOSTUNREACH: 'There is no route to the host.',
  ENETUNREACH: 'There is no route to the network.',
  ENOTFOUND: 'The name of the host is unknown.',
  EAI_AGAIN: 'The name of the host could not be looked up for now.',
  ENOENT: 'There is no such file or socket.',
  EACCES: 'Permission was denied.',
  UND_ERR_CONNECT_TIMEOUT: 'The connection could not be made in time.',
  UND_ERR_SOCKET: 'The connection was closed by the other side.',
  CERT_HAS_EXPIRED: 'The certificate has expired.',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'The certificate is signed by itself.',
  SELF_SIGNED_CERT_IN_CHAIN: 'The certificate is signed by an unknown authority.',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'The certificate is signed by an unknown authority.',
  ERR_TLS_CERT_ALTNAME_INVALID: 'The certificate is for another name.',
}

/** Faults of `fetch` that come without a code of their own. */
const KNOWN_NAMES: Readonly<Record<string, CheckFault>> = {
  HTTPParserError: { code: 'wrong_protocol', message: 'What answered does not speak HTTP.' },
}

/** Causes of causes, and no further: an error may be its own cause. */
const MAX_DEPTH = 5

/**
 * What may be shown of anything thrown: all of a {@link CheckError}, else the nearest code and what is
 * known about it, but no message, which may hold an address with its password.
 */
export function faultOf(thrown: unknown): CheckFault {
  if (thrown instanceof CheckError) return { code: thrown.code, message: thrown.message }
  const [code, name] = [nearest(thrown, 'code'), nearest(thrown, 'name', KNOWN_NAMES)]
  const named = name === undefined ? undefined : KNOWN_NAMES[name]
  if (named !== undefined) return named
  const known = code === undefined ? undefined : KNOWN[code]
  if (code !== undefined) {
    return { code, message: known ?? `The check failed with the code ${code}.` }
  }
  return { code: 'failed', message: 'The check failed; the log may say why.' }
}

/** As `faultOf`, as a check's outcome. */
export function outcomeOfThrown(thrown: unknown): CheckOutcome {
  const details = thrown instanceof CheckError ? thrown.details : undefined
  return { status: 'unhealthy', error: faultOf(thrown), details }
}

/** The first text that looks like a code, under a name, in an error and its causes. */
function nearest(thrown: unknown, key: 'code' | 'name', among?: object): string | undefined {
  let at: unknown = thrown
  for (let depth = 0; depth < MAX_DEPTH && typeof at === 'object' && at !== null; depth += 1) {
    const { [key]: value, cause } = at as { readonly [k in 'code' | 'name' | 'cause']?: unknown }
    // SQLSTATEs and such are digits and letters as well; anything longer isn't a code.
    if (typeof value === 'string' && /^[A-Z0-9_]{2,40}$/i.test(value)) {
      if (among === undefined || Object.hasOwn(among, value)) return value
    }
    at = cause
  }
  return undefined
}
