import { describe, expect, it } from 'vitest'
import { parseRequests, parseResponses } from './http-message.ts'

const parse = (text: string, options = { closed: false }) =>
  parseResponses(Buffer.from(text, 'latin1'), options)

describe('parseResponses', () => {
  it('keeps case, order and repetition of headers', () => {
    const [response] = parse(
      'HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nset-cookie:b\r\nContent-Length: 2\r\n\r\nhi',
    )
    expect(response?.rawHeaders.map(([name]) => name)).toEqual([
      'Set-Cookie',
      'set-cookie',
      'Content-Length',
    ])
    expect(response?.headers.get('set-cookie')).toEqual(['a', 'b'])
    expect(response).toMatchObject({ status: 200, reason: 'OK', framing: 'length', complete: true })
  })

  it('joins chunks and reads trailers', () => {
    const [response] = parse(
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nx-sum: 7\r\n\r\n',
    )
    expect(response?.body.toString()).toBe('abcde')
    expect(response?.chunks.map(String)).toEqual(['abc', 'de'])
    expect(response?.trailers).toEqual([['x-sum', '7']])
    expect(response?.complete).toBe(true)
  })

  it.each([
    ['a chunked body without its last chunk', 'transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n'],
    ['a chunk cut short', 'transfer-encoding: chunked\r\n\r\n5\r\nabc'],
    ['fewer bytes than announced', 'content-length: 9\r\n\r\nabc'],
  ])('calls %s incomplete', (_, rest) => {
    const [response] = parse(`HTTP/1.1 200 OK\r\n${rest}`, { closed: true })
    expect(response).toMatchObject({ complete: false })
    expect(response?.body.toString()).toBe('abc')
  })

  it('lets a body without framing last until the close', () => {
    const text = 'HTTP/1.1 200 OK\r\n\r\nabc'
    expect(parse(text)[0]).toMatchObject({ framing: 'close', complete: false })
    expect(parse(text, { closed: true })[0]).toMatchObject({ framing: 'close', complete: true })
  })

  it('expects no body after 204, 304 and HEAD', () => {
    const next = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'
    for (const status of ['204 No Content', '304 Not Modified']) {
      expect(parse(`HTTP/1.1 ${status}\r\ncontent-length: 5\r\n\r\n${next}`)).toHaveLength(2)
    }
    const bytes = Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n')
    expect(parseResponses(bytes, { closed: false, head: true })[0]?.complete).toBe(true)
  })

  it('puts informational responses with the final one', () => {
    const responses = parse(
      'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n',
    )
    expect(responses).toHaveLength(1)
    expect(responses[0]?.informational[0]?.headers.get('link')).toEqual(['</a>'])
  })

  it('waits for the head', () => {
    expect(parse('HTTP/1.1 200 OK\r\ncontent-')).toEqual([])
  })
})

describe('parseRequests', () => {
  it('separates pipelined requests and stops at an incomplete one', () => {
    const requests = parseRequests(
      Buffer.from(
        'GET /a HTTP/1.1\r\nhost: x\r\n\r\nPOST /b HTTP/1.1\r\ncontent-length: 2\r\n\r\nokPUT /c HTTP/1.1\r\ncontent-length: 2\r\n\r\no',
      ),
    )
    expect(requests.map((one) => [one.startLine, one.complete])).toEqual([
      ['GET /a HTTP/1.1', true],
      ['POST /b HTTP/1.1', true],
      ['PUT /c HTTP/1.1', false],
    ])
  })
})
