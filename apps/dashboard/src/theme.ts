export type Theme = 'auto' | 'light' | 'dark'

const order: readonly Theme[] = ['auto', 'light', 'dark']
const KEY = 'tidegate-theme'

/** The theme that was chosen here before. Browsers may refuse to remember anything. */
export function rememberedTheme(storage: () => Storage): Theme {
  try {
    const kept = storage().getItem(KEY)
    return order.find((theme) => theme === kept) ?? 'auto'
  } catch {
    return 'auto'
  }
}

export function rememberTheme(storage: () => Storage, theme: Theme): void {
  try {
    storage().setItem(KEY, theme)
  } catch {
    // It holds for as long as the page is open.
  }
}

export function nextTheme(theme: Theme): Theme {
  return order[(order.indexOf(theme) + 1) % order.length] ?? 'auto'
}
