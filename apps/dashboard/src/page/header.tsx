import { connection, gatewayNow } from '../data/connection.ts'
import { type State, windows } from '../data/state.ts'
import { shortName } from '../format/text.ts'
import { span } from '../format/time.ts'
import type { Link } from '../link/link.ts'
import type { Theme } from '../theme.ts'

export interface HeaderProps {
  readonly state: State
  readonly theme: Theme
  readonly link: Link
  readonly onTheme: () => void
}

export function Header({ state, theme, link, onTheme }: HeaderProps) {
  const { figures, session } = state
  return (
    <header class="bar">
      <p class="brand">
        <Wave />
        <strong>Tidegate</strong>
        {figures !== undefined && (
          <span class="quiet">
            {figures.version !== null && shortName(figures.version, 24)}
            {figures.uptimeMs !== null && <> · up {span(figures.uptimeMs)}</>}
          </span>
        )}
      </p>
      <div class="tools">
        <ConnectionSign state={state} />
        <WindowPicker state={state} link={link} />
        <button type="button" onClick={onTheme}>
          Theme: {theme}
        </button>
        {session.kind === 'open' && session.csrf !== null && (
          <button type="button" onClick={() => void link.logout()}>
            Log out
          </button>
        )}
      </div>
    </header>
  )
}

function ConnectionSign({ state }: { readonly state: State }) {
  const link = connection(state)
  const clock = new Date(gatewayNow(state)).toLocaleTimeString(undefined, { hourCycle: 'h23' })
  const words = {
    connecting: 'Connecting',
    live: 'Live',
    polling: 'Polling',
    stale: 'Stale',
    lost: 'No answer',
  }[link.kind]
  return (
    <p class={`connection ${link.kind}`}>
      <span class="dot" aria-hidden="true" />
      {words} <span class="quiet clock">{clock}</span>
    </p>
  )
}

function WindowPicker({ state, link }: { readonly state: State; readonly link: Link }) {
  return (
    <fieldset class="choice">
      <legend class="unseen">Time shown in charts</legend>
      {windows.map((window) => (
        <label key={window.name}>
          <input
            type="radio"
            name="window"
            checked={window === state.window}
            onChange={() => link.show(window)}
          />
          <span>{window.name}</span>
        </label>
      ))}
    </fieldset>
  )
}

function Wave() {
  return (
    <svg class="wave" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="7" />
      <path d="M5 13c3.7-4 7.3-4 11 0s7.3 4 11 0M5 21c3.7-4 7.3-4 11 0s7.3 4 11 0" />
    </svg>
  )
}
