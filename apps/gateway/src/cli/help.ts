import type { Topic } from './arguments.ts'

const overview = `Tidegate, a gateway for AI traffic

Usage
  tidegate start [--config FILE]   start the gateway
  tidegate check [FILE] [--json]   say everything that is wrong with a configuration
  tidegate help [COMMAND]          this page, or a command's own
  tidegate --version

Without a file the environment configures it:
  OPENAI_API_KEY=sk-… tidegate start

Without any provider's key a local demo model answers, so that this works at once:
  tidegate start
`

const pages: Readonly<Record<Topic, string>> = {
  start: `tidegate start [--config FILE]

Starts the gateway and serves until SIGTERM or SIGINT; a second signal ends it at once.

  -c, --config FILE   a YAML or JSON configuration; without it the environment alone is used
  -h, --help

The environment, which wins over the file
  HOST, PORT          where to listen                       [127.0.0.1, 8000]
  ENVIRONMENT         development, test, staging, production    [development]
  ADMIN_KEY           opens the gateway's own endpoints
  CORS_ORIGINS        browser origins that may call, separated by commas
  LOG_LEVEL           trace, debug, info, warn, error, fatal, silent   [info]
  DEBUG               true logs more and shows where an error comes from

Upstreams, when there is no file
  OPENAI_API_KEY, OPENAI_BASE_URL         serve /v1/**
  ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL   serve /v1/messages
  BACKEND_SERVICE_URL, BACKEND_API_KEY    serve /companion/**

A file named .env in the working directory is read below the environment, and NAME_FILE may name a
file that holds a secret. Exit code: 0 after a clean stop, 1 when it can't start, 2 for a wrong
command line.
`,
  check: `tidegate check [FILE] [--json]

Reads a configuration as start would, without starting, and lists every problem with its line, its
path and what was probably meant. Without FILE it checks the environment.

  --json       the report as one JSON object on stdout
  -h, --help

Exit code: 0 when start would accept it, 1 when not, 2 for a wrong command line.
`,
}

/** The page of a command, or the overview. */
export function helpPage(topic: Topic | undefined): string {
  return topic === undefined ? overview : pages[topic]
}
