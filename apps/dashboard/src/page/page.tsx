import { useEffect } from 'preact/hooks'
import { connection } from '../data/connection.ts'
import { type Verdict, verdict } from '../data/verdict.ts'
import { counted } from '../format/text.ts'
import { AnomalyPanel } from './anomaly-panel.tsx'
import { ChartGrid } from './chart-grid.tsx'
import { FailurePanel } from './failure-panel.tsx'
import { FigurePanels } from './figure-panels.tsx'
import { Header, type HeaderProps } from './header.tsx'
import { LoginForm } from './login-form.tsx'
import { RoutePanel } from './route-panel.tsx'
import { TargetRow } from './target-row.tsx'
import { UpstreamPanel } from './upstream-panel.tsx'
import { VerdictPanel } from './verdict-panel.tsx'

export function Page(props: HeaderProps) {
  const { state, link } = props
  const { session, trouble } = state
  if (session.kind === 'closed') {
    return <LoginForm ended={session.ended} login={(key) => link.login(key)} />
  }
  if (session.kind === 'unknown') return <Waiting trouble={trouble} />
  return <Overview {...props} />
}

/** Before anything is known: a blank page for the moment that this takes, and the reason when it takes longer. */
function Waiting({ trouble }: { readonly trouble: string | null }) {
  useTitle('Tidegate')
  return (
    <main class="alone">
      <h1>Tidegate</h1>
      <p role="status">
        {trouble === null
          ? 'Asking the gateway…'
          : `The gateway doesn’t answer (${trouble}). Trying again.`}
      </p>
    </main>
  )
}

function Overview(props: HeaderProps) {
  const { state, theme } = props
  const judged = verdict(state)
  const { kind } = connection(state)
  const old = kind === 'lost' || kind === 'stale'
  useTitle(`${judged.title} · Tidegate`)
  return (
    <>
      <a class="skip" href="#content">
        Skip to the state of the gateway
      </a>
      <Header {...props} />
      <main id="content" tabIndex={-1}>
        <VerdictPanel state={state} verdict={judged} />
        <div class={old ? 'figures old' : 'figures'}>
          <TargetRow state={state} />
          <ChartGrid state={state} theme={theme} />
          <div class="halves">
            <div class="stack">
              <UpstreamPanel state={state} />
              <RoutePanel state={state} />
            </div>
            <div class="stack">
              <FailurePanel state={state} />
              <AnomalyPanel state={state} />
            </div>
          </div>
          <FigurePanels state={state} />
        </div>
      </main>
      <Announcement verdict={judged} />
    </>
  )
}

/** Says a change of the whole state aloud, and nothing of what changes every second. */
function Announcement({ verdict: { title, findings } }: { readonly verdict: Verdict }) {
  const serious = findings.filter(({ level }) => level !== 'note').length
  return (
    <p class="unseen" role="status">
      {serious === 0 ? title : `${title}: ${counted(serious, 'problem')}`}
    </p>
  )
}

function useTitle(title: string): void {
  useEffect(() => {
    document.title = title
  }, [title])
}
