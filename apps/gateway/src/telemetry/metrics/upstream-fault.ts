/**
 * A 429 is a fault: it is an upstream that has no room. What a client has asked for wrongly is none, neither is
 * that it didn't wait or sent its body too slowly, nor that another attempt was faster.
 */
const NO_FAULT = /^(?:|4(?!29)\d\d|client_gone|lost_race|payload_too_large|request_timeout)$/

/** Whether an attempt that ended with this `error_type` speaks against its upstream. */
export function isUpstreamFault(errorType: string): boolean {
  return !NO_FAULT.test(errorType)
}
