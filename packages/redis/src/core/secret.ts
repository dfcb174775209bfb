/** A value that is given out on request only; `@tidegate/config`'s `Secret` is one. */
export interface Revealable {
  reveal(): string
}

const redacted = () => '[redacted]'

/** Keeps a value out of logs: printing it in any way shows no part of it. */
export function conceal(value: string): Revealable {
  return Object.freeze({ reveal: () => value, toString: redacted, toJSON: redacted })
}

export function reveal(value: string | Revealable): string {
  return typeof value === 'string' ? value : value.reveal()
}
