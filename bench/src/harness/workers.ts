import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'

const children: ChildProcess[] = []

/** Starts a file as a process that is asked by messages, and gives what it tells when it is ready. */
export async function startWorker(
  file: URL,
  args: readonly string[],
): Promise<readonly [ChildProcess, unknown]> {
  const child = fork(file, args)
  children.push(child)
  child.once('exit', (code) => {
    if (code !== 0) throw new Error(`${file.pathname} ${args[0] ?? ''} has ended by itself.`)
  })
  const [told]: unknown[] = await once(child, 'message')
  return [child, told]
}

/** Its next message is the answer: ask one thing at a time. */
export async function ask<T>(child: ChildProcess, question: object): Promise<T> {
  const answer = once(child, 'message')
  child.send(question)
  const [told] = (await answer) as [T]
  return told
}

/** Lets those that were started end, and waits for it; all of them unless told which. */
export async function endWorkers(which: readonly ChildProcess[] = children): Promise<void> {
  const open = which.filter(({ exitCode, connected }) => exitCode === null && connected)
  const ended = open.map((child) => once(child, 'exit'))
  for (const child of open) child.disconnect()
  await Promise.all(ended)
}
