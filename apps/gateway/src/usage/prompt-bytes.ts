/** What an image, a sound or a file counts as: 1,000 tokens, about a picture of a megapixel. */
export const MEDIUM_BYTES = 4000

/** A token id, where a prompt is given as such, is a token. */
const NUMBER_BYTES = 4

/** Members that hold what a model is given to read. */
const PROMPT_MEMBERS: readonly string[] = [
  ...['messages', 'prompt', 'input', 'system', 'instructions', 'suffix'],
  ...['tools', 'functions', 'response_format', 'text', 'documents', 'query', 'requests'],
]

/** Types of parts whose content, inline or elsewhere, is no text. */
const MEDIA_TYPES: ReadonlySet<unknown> = new Set([
  ...['image', 'image_url', 'input_image', 'image_generation_call', 'input_audio', 'audio_url'],
  ...['video_url', 'input_video', 'file', 'input_file'],
])

/**
 * How large the prompt of a request is, in bytes of UTF-8: names and strings of all that the model gets
 * to read, tools included. An image, a sound or a file counts the same however large it is.
 */
export function promptBytes(asked: Readonly<Record<string, unknown>>): number {
  let bytes = 0
  const open: unknown[] = PROMPT_MEMBERS.map((name) => asked[name])
  // Not by recursion: how deep a body nests is its sender's choice.
  while (open.length > 0) {
    const value = open.pop()
    if (typeof value === 'string') bytes += stringBytes(value)
    else if (typeof value === 'number') bytes += NUMBER_BYTES
    else if (Array.isArray(value)) for (const each of value) open.push(each)
    else if (typeof value === 'object' && value !== null) {
      if (isMedium(value)) bytes += MEDIUM_BYTES
      else bytes += openObject(value, open)
    }
  }
  return bytes
}

/** The beginning of an embedded file, wherever it stands. */
const EMBEDDED = /^data:[^\s,]{0,200},/

/** What an embedded file is not written with: else a prompt would only have to begin like one. */
const NO_FILE = /[^\w+/=%.~\r\n-]/

function stringBytes(value: string): number {
  const [beginning] = EMBEDDED.exec(value) ?? []
  const isFile = beginning !== undefined && !NO_FILE.test(value.slice(beginning.length))
  return isFile ? MEDIUM_BYTES : Buffer.byteLength(value)
}

function openObject(value: object, open: unknown[]): number {
  let bytes = 0
  for (const [name, each] of Object.entries(value)) {
    bytes += Buffer.byteLength(name)
    open.push(each)
  }
  return bytes
}

function isMedium(part: { readonly type?: unknown; readonly source?: unknown }): boolean {
  // A message is none, whatever type it gives itself.
  if ('role' in part) return false
  return MEDIA_TYPES.has(part.type) || (part.type === 'document' && isFile(part.source))
}

/** Anthropic's documents are text, parts, or a file in one of several ways. */
function isFile(source: unknown): boolean {
  if (typeof source !== 'object' || source === null || !('type' in source)) return false
  return source.type === 'base64' || source.type === 'url' || source.type === 'file'
}
