import type { EarlyClose, RecordedRequest } from '../provider/recorded-request.ts'

/** One request in one line: when, what, which fault, how it ended. */
export function requestLine(request: RecordedRequest, early: EarlyClose | null, at: Date): string {
  const { method, target, model, fault, status, bytesSent } = request
  const asked = [method, target, ...(model === undefined ? [] : [`model=${model}`])]
  if (fault !== undefined) asked.push(`fault=${fault}`)
  const ms = Math.round(performance.now() - request.receivedAtMs)
  const end = [
    status === undefined ? 'no answer' : String(status),
    `${bytesSent} bytes`,
    `${ms} ms`,
  ]
  if (early !== null) end.push('the client left')
  if (request.cutByProvider) end.push('cut here')
  const time = at.toISOString().slice(11, 23)
  return `${time} ${asked.map(plain).join(' ')} -> ${end.join(', ')}`
}

/** Text from outside on one line, short, without what could drive a terminal. */
function plain(text: string): string {
  return text.slice(0, 120).replace(/[^\u0021-\u007e]/g, '?')
}
