import { z } from '@hono/zod-openapi'
import { ServerError } from '@tidegate/server'
import type { Position } from '../database/newest-first.ts'

/** What every list takes. */
export const pageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50).openapi({
    description: 'How many at most.',
  }),
  cursor: z.string().min(1).max(200).optional().openapi({
    description: 'The `next_cursor` of the page before.',
  }),
})

/** What every list gives. */
export function pageOf<S extends z.ZodType>(item: S) {
  return z.object({
    data: z.array(item),
    next_cursor: z.string().nullable().openapi({ description: 'Null on the last page.' }),
  })
}

/** Cuts a page from one item more than it may have. */
export function cutPage<T>(
  items: readonly T[],
  limit: number,
  positionOf: (item: T) => Position,
): { readonly items: readonly T[]; readonly next: string | null } {
  const page = items.slice(0, limit)
  const last = page.at(-1)
  const next = items.length > limit && last !== undefined ? writeCursor(positionOf(last)) : null
  return { items: page, next }
}

function writeCursor({ at, id }: Position): string {
  return Buffer.from(`${at}.${id}`).toString('base64url')
}

/** @throws ServerError `validation_failed` for what no page has given. */
export function readCursor(cursor: string | undefined): Position | undefined {
  if (cursor === undefined) return undefined
  const [, at, id] =
    /^(\d{1,15})\.([\w-]{1,64})$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? []
  if (at !== undefined && id !== undefined) return { at: Number(at), id }
  const message = 'The query parameter "cursor": is none that a page has given'
  throw new ServerError('validation_failed', `${message}.`, {
    param: 'cursor',
    facts: { errors: [{ param: 'cursor', message }] },
  })
}
