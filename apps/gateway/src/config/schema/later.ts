import { type NotBuiltYetOptions, notBuiltYet } from '@tidegate/config/fields'
import type { z } from 'zod'

/** A key of a capability that is still to come: left out or off is fine, anything else says so. */
export function later(options: NotBuiltYetOptions): z.ZodOptional<z.ZodType<undefined, unknown>> {
  return notBuiltYet(options).optional()
}
