import { ResilienceError, type ResilienceErrorOptions } from '../core/errors.ts'
import type { AddressRange } from './address-range.ts'

/**
 * Which rule refused a connection:
 * - `protocol`: the URL's protocol is not one of those permitted;
 * - `credentials`: the URL names a user or a password;
 * - `host`: what stands for the host is no name and no address;
 * - `deny`: an entry of `deny` matches;
 * - `public`: public addresses are denied and no entry of `allow` matches;
 * - an {@link AddressRange}: the address is in that range.
 */
export type EgressRule = 'protocol' | 'credentials' | 'host' | 'deny' | 'public' | AddressRange

/**
 * The egress rules forbid the target; nothing was sent. The message tells the rule and nothing else:
 * who chose the URL learns neither what its name resolves to nor what is reachable from here.
 */
export class EgressDeniedError extends ResilienceError<'egress_denied'> {
  readonly code = 'egress_denied'
  override readonly retryable = false
  /** The rule that refused it. */
  readonly rule: EgressRule

  constructor(rule: EgressRule, options: ResilienceErrorOptions = {}) {
    super(`Not connected: the egress rules forbid it (rule: ${rule}).`, options)
    this.rule = rule
  }
}
