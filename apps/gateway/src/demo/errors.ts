/** A request the demo model can't answer: becomes an error body in OpenAI's form. */
export class DemoError extends Error {
  override readonly name = 'DemoError'
  readonly status: number
  readonly param: string | null
  readonly code: string | null

  constructor(
    status: number,
    message: string,
    facts: { readonly param?: string; readonly code?: string } = {},
  ) {
    super(message)
    this.status = status
    this.param = facts.param ?? null
    this.code = facts.code ?? null
  }

  /** What OpenAI's own clients turn into an exception of the class that belongs to the status. */
  toBody(): object {
    return {
      error: {
        message: this.message,
        type: this.status >= 500 ? 'server_error' : 'invalid_request_error',
        param: this.param,
        code: this.code,
      },
    }
  }
}
