import { useEffect, useRef, useState } from 'preact/hooks'
import { span } from '../format/time.ts'
import type { LoginResult } from '../link/api.ts'

export interface LoginFormProps {
  /** There was a session, and it is over. */
  readonly ended: boolean
  readonly login: (key: string) => Promise<LoginResult>
}

export function LoginForm({ ended, login }: LoginFormProps) {
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string>()
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => {
    document.title = 'Log in · Tidegate'
    field.current?.focus()
  }, [])
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    setBusy(true)
    const result = await login(field.current?.value ?? '')
    setBusy(false)
    setProblem(explain(result))
    if (result.kind !== 'open') field.current?.select()
  }
  return (
    <main class="alone">
      <form onSubmit={(event) => void submit(event)}>
        <h1>Tidegate</h1>
        {ended && <p class="ended">Your session has ended. Log in to go on.</p>}
        <label for="key">Admin key</label>
        <input
          id="key"
          ref={field}
          type="password"
          name="key"
          required
          autocomplete="current-password"
          spellcheck={false}
          aria-invalid={problem !== undefined}
          aria-describedby="problem"
        />
        <p id="problem" class="problem" role="alert">
          {problem}
        </p>
        <button type="submit" class="main" aria-disabled={busy}>
          {busy ? 'Logging in…' : 'Log in'}
        </button>
      </form>
    </main>
  )
}

function explain(result: LoginResult): string | undefined {
  if (result.kind === 'open') return undefined
  if (result.kind === 'failed') return `The gateway couldn’t be asked: ${result.reason}.`
  return result.retryAfterS === null
    ? 'This isn’t the gateway’s admin key.'
    : `Too many wrong keys. Try again in ${span(result.retryAfterS * 1000)}.`
}
