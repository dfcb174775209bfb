import { field } from '@tidegate/config'
import { notBuiltYet } from '@tidegate/config/fields'
import type { z } from 'zod'

/** A key of a capability that is still to come: left out or one of `off` is fine, else it says so. */
export function later(
  capability: string,
  off: readonly unknown[] = ['off', false],
): z.ZodOptional<z.ZodType<undefined, unknown>> {
  const description = `Kept free for ${capability}.`
  return field(notBuiltYet({ capability, off }).optional(), { description })
}
