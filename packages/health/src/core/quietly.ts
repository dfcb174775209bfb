/** Tells an observer, whose own fault changes nothing of what it was told. */
export function quietly(tell: () => void): void {
  try {
    tell()
  } catch {}
}
