/** A request's head, with a good Host, as it goes on the wire. */
export function head(requestLine: string, ...fields: readonly string[]): string {
  return `${requestLine} HTTP/1.1\r\nhost: gateway.test\r\n${lines(fields)}\r\n`
}

/** A whole GET request. */
export function get(target: string, ...fields: readonly string[]): string {
  return head(`GET ${target}`, ...fields)
}

/** A whole POST request with a body of declared length. */
export function post(target: string, body: string, ...fields: readonly string[]): string {
  const length = `content-length: ${Buffer.byteLength(body)}`
  return head(`POST ${target}`, ...fields, length) + body
}

/** One chunk of a chunked body; the empty text is the last one. */
export function chunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`
}

/** A response, byte for byte: `reply('200 OK', ['a: 1'], 'body')`, with its length declared. */
export function reply(status: string, fields: readonly string[] = [], body = ''): string {
  const length = `content-length: ${Buffer.byteLength(body)}`
  return `HTTP/1.1 ${status}\r\n${lines([...fields, length])}\r\n${body}`
}

function lines(fields: readonly string[]): string {
  return fields.map((field) => `${field}\r\n`).join('')
}
