/** Says whether others changed a key since it began; has to be ended. */
export interface Watch {
  changed(key: string): boolean
  end(): void
}

const MOST_KEYS = 10_000
const MOST_MATCHES = 100

/**
 * Catches messages that overtake an answer: what the answer says of a key that was changed meanwhile may be
 * over already. Changes are remembered only while somebody watches.
 */
export class Watched {
  #watching = 0
  #version = 0
  /** Changes up to this one aren't told apart any more. */
  #blurred = 0
  readonly #keys = new Map<string, number>()
  #matches: { readonly isMeant: (key: string) => boolean; readonly version: number }[] = []

  watch(): Watch {
    const from = this.#version
    this.#watching += 1
    return {
      changed: (key) => this.#changedSince(from, key),
      end: () => {
        this.#watching -= 1
        if (this.#watching === 0) this.#forget()
      },
    }
  }

  change(key: string): void {
    if (this.#watching === 0) return
    this.#version += 1
    this.#keys.set(key, this.#version)
    if (this.#keys.size > MOST_KEYS) this.#blur()
  }

  changeAll(isMeant: (key: string) => boolean): void {
    if (this.#watching === 0) return
    this.#version += 1
    this.#matches.push({ isMeant, version: this.#version })
    if (this.#matches.length > MOST_MATCHES) this.#blur()
  }

  #changedSince(from: number, key: string): boolean {
    if (this.#version === from) return false
    if (this.#blurred > from || (this.#keys.get(key) ?? 0) > from) return true
    return this.#matches.some(({ isMeant, version }) => version > from && isMeant(key))
  }

  #blur(): void {
    this.#forget()
    this.#blurred = this.#version
  }

  #forget(): void {
    this.#keys.clear()
    this.#matches = []
  }
}
