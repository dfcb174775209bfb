import type { ComponentChildren } from 'preact'
import type { Figures } from '../data/figures.ts'
import { latest } from '../data/frame.ts'
import type { Component } from '../data/health.ts'
import type { State } from '../data/state.ts'
import { componentName, share } from '../data/verdict.ts'
import { amount, bytes, dollars, percent, perSecond } from '../format/number.ts'
import { words } from '../format/text.ts'
import { duration } from '../format/time.ts'
import { Name } from './marks.tsx'
import { Panel } from './panel.tsx'

/** What is looked up rather than watched. */
export function FigurePanels({ state }: { readonly state: State }) {
  const { figures, components = [] } = state
  if (figures === undefined) return null
  return (
    <div class="cards">
      <PolicyPanel figures={figures} state={state} />
      <TokenPanel figures={figures} />
      <StreamPanel figures={figures} />
      <SystemPanel figures={figures} />
      {components.length > 0 && <ComponentPanel components={components} />}
    </div>
  )
}

function PolicyPanel({ figures, state }: { readonly figures: Figures; readonly state: State }) {
  const { limits, cache } = figures
  return (
    <Panel title="Limits and cache">
      <dl class="list">
        <Item name="Allowed">{amount(limits.allowed)}</Item>
        <Item name="Refused">{amount(limits.denied)}</Item>
        <Item name="Violation rate">{percent(limits.violationRate)}</Item>
        <Item name="Cache hits">{amount(cache.hits)}</Item>
        <Item name="Cache misses">{amount(cache.misses)}</Item>
        <Item name="Hit rate">{percent(cache.hitRate)}</Item>
        <Item name="Retries">{perSecond(latest(state.frame, 'retries.rate'))}</Item>
        <Item name="Hedges">{perSecond(latest(state.frame, 'hedges.rate'))}</Item>
      </dl>
    </Panel>
  )
}

function TokenPanel({ figures: { tokens } }: { readonly figures: Figures }) {
  return (
    <Panel title="Tokens and cost">
      <dl class="list">
        <Item name="Input">{amount(tokens.input)}</Item>
        <Item name="Output">{amount(tokens.output)}</Item>
        <Item name="Cost">
          {tokens.costUsd === null ? 'no prices set' : dollars(tokens.costUsd)}
        </Item>
      </dl>
    </Panel>
  )
}

function StreamPanel({ figures: { streams } }: { readonly figures: Figures }) {
  const all = streams.ended.reduce((sum, { count }) => sum + count, 0)
  return (
    <Panel title="Streams">
      <dl class="list">
        <Item name="In flight">{amount(streams.active)}</Item>
        {streams.ended.map(({ outcome, count }) => (
          <Item key={outcome} name={endingName(outcome)}>
            {amount(count)} <span class="quiet">{percent(share(count, all))}</span>
          </Item>
        ))}
      </dl>
    </Panel>
  )
}

function endingName(outcome: string): string {
  const known: Readonly<Record<string, string>> = {
    complete: 'Ended whole',
    client_gone: 'Client left',
    upstream_broken: 'Upstream broke',
    deadline: 'Out of time',
  }
  return Object.hasOwn(known, outcome) ? (known[outcome] ?? outcome) : words(outcome)
}

function SystemPanel({ figures: { system } }: { readonly figures: Figures }) {
  const { rssBytes, limitBytes, diskFreeBytes, diskSizeBytes } = system
  return (
    <Panel title="System">
      <dl class="list">
        <Item name="CPU">{percent(system.cpuRatio)}</Item>
        <Item name="Memory">
          {bytes(rssBytes)}
          {limitBytes !== null && <span class="quiet"> of {bytes(limitBytes)}</span>}
        </Item>
        <Item name="Disk free">
          {bytes(diskFreeBytes)}
          {diskSizeBytes !== null && <span class="quiet"> of {bytes(diskSizeBytes)}</span>}
        </Item>
        <Item name="Connections">{amount(system.connections)}</Item>
        <Item name="Event-loop delay, p99">{duration(system.delayP99Ms)}</Item>
        <Item name="Event-loop use">{percent(system.utilization)}</Item>
      </dl>
    </Panel>
  )
}

function ComponentPanel({ components }: { readonly components: readonly Component[] }) {
  return (
    <Panel title="Components">
      <dl class="list">
        {components.map(({ name, status, latencyMs }) => (
          <Item key={name} name={componentName(name)}>
            {status}
            {latencyMs !== null && <span class="quiet"> {duration(latencyMs)}</span>}
          </Item>
        ))}
      </dl>
    </Panel>
  )
}

function Item({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <div>
      <dt>
        <Name of={name} longest={40} />
      </dt>
      <dd>{children}</dd>
    </div>
  )
}
