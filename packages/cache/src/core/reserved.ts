/** What every tag and key of ours begins with. */
export const RESERVED = '\u0000'

/** What `clear()` invalidates: every entry has it, so none is told. */
export const ALL: string = RESERVED

/** What all entries whose keys begin with a namespace's prefix carry, beside their own tags. */
export function namespaceTag(prefix: string): string {
  return RESERVED + prefix
}

/** Whether a tag is one of ours: users' tags can't begin like that. */
export function isReservedTag(tag: string): boolean {
  return tag.startsWith(RESERVED)
}

/** The tags that a user gave, without ours. */
export function userTags(tags: readonly string[] | undefined): readonly string[] {
  return tags === undefined ? [] : tags.filter((tag) => !isReservedTag(tag))
}
