/** One thing that has to be true of the repository. */
export interface Check {
  readonly name: string
  /** Finds what is wrong, one line (or block of lines) each, saying where and what to do. Empty: all is well. */
  readonly problems: () => Promise<readonly string[]> | readonly string[]
}
