/** Who is calling, and what they may do. */
export interface Identity {
  /** The key's id; `environment` for the one that the environment names. */
  readonly id: string
  readonly tenant: string
  readonly scopes: readonly string[]
  readonly tier: string | null
}
