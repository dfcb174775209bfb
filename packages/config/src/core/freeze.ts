/** Freezes mappings and lists at every depth. Instances of classes are left as they are. */
export function freezeDeep<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  const prototype: unknown = Object.getPrototypeOf(value)
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) return value
  for (const item of Object.values(value)) freezeDeep(item)
  return Object.freeze(value)
}
