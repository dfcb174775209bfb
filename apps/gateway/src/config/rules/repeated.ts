import { eachKnown } from '@tidegate/config'

/** The items whose key another one before them has. Those without a key, and wrong ones, are left out. */
export function repeated<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string | undefined,
): readonly { readonly key: string; readonly index: number }[] {
  const seen = new Set<string>()
  return eachKnown(items, (item, index) => {
    const key = keyOf(item)
    if (key === undefined) return []
    if (seen.has(key)) return [{ key, index }]
    seen.add(key)
    return []
  })
}
