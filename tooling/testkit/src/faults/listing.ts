import { faultModelPrefix } from '../provider/fault-spec.ts'
import type { Family } from '../provider/provider-errors.ts'
import { type Scenario, scenarios } from '../provider/scenarios.ts'
import { defaultPort } from './arguments.ts'

export const helpPage = `pnpm faults [--port N] [--via URL] [--list]

Starts an OpenAI- and Anthropic-speaking provider on 127.0.0.1 that goes wrong on command, prints what
it can do wrong with a curl for each, and then one line per request. Ctrl-C stops it.

  -p, --port N   where to listen; 0 takes a free port   [${defaultPort}]
      --via URL  writes the curls for your gateway in front of it, like http://127.0.0.1:8000
      --list     prints the faults and ends
  -h, --help

A request chooses its fault by its model, fault-NAME, or by the header x-testkit-fault: NAME.
NAME:3 goes wrong three times before one good answer, NAME:always ever; NAME@label is counted apart.
The header x-testkit-behaviour takes a behaviour of your own as JSON: {"status":503,"delayMs":200}.

Its own port steers it (how: refuse, reset, silent, unavailable) and shows what was asked:
  curl -X POST 'http://127.0.0.1:${defaultPort}/faults/die?how=refuse&seconds=10'
  curl -X POST http://127.0.0.1:${defaultPort}/faults/recover
  curl http://127.0.0.1:${defaultPort}/faults

A gateway in front of it:
  OPENAI_API_KEY=any OPENAI_BASE_URL=http://127.0.0.1:${defaultPort}/v1 pnpm start
`

const paths: Readonly<Record<Family, string>> = {
  openai: '/v1/chat/completions',
  anthropic: '/v1/messages',
}

/** A command that shows a fault. */
export function curlFor(scenario: Scenario, origin: string): string {
  const family = scenario.name === 'overloaded' ? 'anthropic' : 'openai'
  const body = {
    model: faultModelPrefix + scenario.name,
    ...(family === 'anthropic' ? { max_tokens: 64 } : {}),
    messages: [{ role: 'user', content: 'Hi' }],
    ...(scenario.shownBy === 'stream' ? { stream: true } : {}),
  }
  const url = origin + paths[family]
  return `curl -iN ${url} -H 'content-type: application/json' -d '${JSON.stringify(body)}'`
}

function howOften({ times }: Scenario): string {
  if (times === 'always') return 'always'
  return times === 1 ? 'once, then a good answer' : `${times} times, then a good answer`
}

/** Every fault: what it does, what a client is owed, and a curl. */
export function listFaults(origin: string): string {
  return scenarios
    .map((scenario) =>
      [
        `${scenario.name}: ${scenario.does} (${howOften(scenario)})`,
        `  owed: ${scenario.owed}`,
        `  ${curlFor(scenario, origin)}`,
      ].join('\n'),
    )
    .join('\n\n')
}
