import { type ChildProcess, execFile } from 'node:child_process'
import { requireProgram } from './binaries.ts'

const timeoutMs = 60_000

interface Verdict {
  readonly ok: boolean
  readonly output: string
}

async function promtool(args: readonly string[], input = ''): Promise<Verdict> {
  const program = await requireProgram({ programs: ['promtool'], debianPackage: 'prometheus' })
  const { promise, resolve } = Promise.withResolvers<Verdict>()
  const options = { timeout: timeoutMs, maxBuffer: 64 * 1024 * 1024 }
  const child: ChildProcess = execFile(program, args, options, (error, stdout, stderr) => {
    const said = `${stdout}${stderr}`.trim()
    resolve({ ok: error === null, output: said === '' ? (error?.message ?? '') : said })
  })
  // Its end is told above; a pipe that it closed early is no news.
  child.stdin?.on('error', () => undefined).end(input)
  return await promise
}

function problemsOf({ ok, output }: Verdict): readonly string[] {
  return ok ? [] : output.split('\n').filter((line) => line.trim() !== '')
}

/** What `promtool check metrics` says against an exposition, line by line. Empty: nothing. */
export async function promtoolCheckMetrics(exposition: string): Promise<readonly string[]> {
  return problemsOf(await promtool(['check', 'metrics'], exposition))
}

/** What `promtool check rules` says against files of rules. Empty: nothing. */
export async function promtoolCheckRules(files: readonly string[]): Promise<readonly string[]> {
  return problemsOf(await promtool(['check', 'rules', ...files]))
}

/** What `promtool check config` says against a configuration and the files it names. Empty: nothing. */
export async function promtoolCheckConfig(file: string): Promise<readonly string[]> {
  return problemsOf(await promtool(['check', 'config', file]))
}

/** Which of the unit tests in these files failed, as `promtool test rules` tells it. Empty: none. */
export async function promtoolTestRules(files: readonly string[]): Promise<readonly string[]> {
  return problemsOf(await promtool(['test', 'rules', ...files]))
}
