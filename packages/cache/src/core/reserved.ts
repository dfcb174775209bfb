/** What every tag and key of ours begins with: users' can't. */
const RESERVED = '\u0000'

/** What `clear()` invalidates: every entry has it, so none is told. */
export const ALL = '\u0000'

/** What all entries whose keys begin with a namespace's prefix carry, beside their own tags. */
export function namespaceTag(prefix: string): string {
  return RESERVED + prefix
}

/** The tags that a user gave, without ours. */
export function userTags(tags: readonly string[] | undefined): readonly string[] {
  return tags === undefined ? [] : tags.filter((tag) => !tag.startsWith(RESERVED))
}
