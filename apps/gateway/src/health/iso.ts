/** A time in milliseconds since 1970 as ISO 8601; 0 is a time that never was. */
export function isoOrNull(at: number): string | null {
  return at === 0 ? null : new Date(at).toISOString()
}
