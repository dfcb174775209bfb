import { setTimeout as pause } from 'node:timers/promises'

/** Asks again and again, one request at a time, until it is disposed of. */
export function trafficTo(url: string): AsyncDisposable {
  let going = true
  const ask = async (at: number): Promise<void> => {
    const messages = [{ role: 'user', content: `Question ${at}` }]
    const body = JSON.stringify({ model: 'tide-1', messages, stream: at % 2 === 0 })
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body })
    await answer.text()
  }
  const run = async (): Promise<void> => {
    for (let at = 0; going; at += 1) {
      // What becomes of a request is the page's to tell.
      await ask(at).catch(() => undefined)
      await pause(40)
    }
  }
  const over = run()
  return {
    [Symbol.asyncDispose]: async () => {
      going = false
      await over
    },
  }
}
