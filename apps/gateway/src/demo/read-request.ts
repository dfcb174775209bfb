import type { IncomingMessage } from 'node:http'
import type { z } from 'zod'
import { DemoError } from './errors.ts'

/** The largest body the demo model reads, in bytes. */
const BODY_LIMIT = 1024 * 1024

/** Reads a JSON body and checks it; what is wrong is a {@link DemoError} that names the field. */
export async function readRequest<T>(request: IncomingMessage, schema: z.ZodType<T>): Promise<T> {
  const parsed = schema.safeParse(parseJson(await readBody(request)), { reportInput: true })
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw describeIssue(issue)
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length
    // The rest is read and dropped, so that the client is listening when the refusal comes.
    if (size <= BODY_LIMIT) parts.push(part)
  }
  if (size > BODY_LIMIT) {
    throw new DemoError(413, 'The body is too large: the demo model reads up to 1 MB.', {
      code: 'request_too_large',
    })
  }
  return Buffer.concat(parts)
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    throw new DemoError(
      400,
      'The body is not valid JSON. Send a JSON object, with content-type: application/json.',
      { code: 'invalid_json' },
    )
  }
}

function describeIssue(issue: z.core.$ZodIssue | undefined): DemoError {
  const param = (issue?.path ?? []).reduce<string>(appendToPath, '')
  if (issue === undefined || param === '') {
    return new DemoError(400, 'The body must be a JSON object.', { code: 'invalid_type' })
  }
  if (issue.code === 'invalid_type' && issue.input === undefined) {
    return new DemoError(400, `Missing required parameter: '${param}'.`, {
      param,
      code: 'missing_required_parameter',
    })
  }
  return new DemoError(400, `Invalid '${param}': ${issue.message}.`, {
    param,
    code: issue.code === 'invalid_type' ? 'invalid_type' : 'invalid_value',
  })
}

function appendToPath(path: string, part: PropertyKey): string {
  if (typeof part === 'number') return `${path}[${part}]`
  return path === '' ? String(part) : `${path}.${String(part)}`
}
