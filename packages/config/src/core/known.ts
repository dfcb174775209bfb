import { formatPath, type Path } from './path.ts'

/** Thrown where something reads a part of a configuration that is wrong, and so has no value. */
class Unreadable extends Error {
  override readonly name = 'Unreadable'
}

/** A property that can be listed and counted, and whose value can't be had. */
export function unreadable(path: Path): PropertyDescriptor {
  const get = (): never => {
    throw new Unreadable(`${formatPath(path)} is wrong and has no value; read it within known()`)
  }
  return { get, enumerable: true }
}

/**
 * What `read` gives, or undefined if it reads a part of the configuration that is wrong. A rule is called
 * in one already, so that it stays silent where it would speak of what it can't know.
 */
export function known<Value>(read: () => Value): Value | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof Unreadable) return undefined
    throw error
  }
}

/**
 * `flatMap` over the items of which all that `read` needs is right: a wrong item takes nothing from the
 * others. For a mapping pass its `Object.keys`.
 */
export function eachKnown<Item, Result>(
  items: readonly Item[],
  read: (item: Item, index: number) => readonly Result[],
): readonly Result[] {
  // By index, as iterating would read a wrong item itself.
  return [...items.keys()].flatMap((index) => known(() => read(items[index] as Item, index)) ?? [])
}
