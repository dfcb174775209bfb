import { hash } from 'node:crypto'

/** Where a recording is in Redis: its name, itself, and what was recorded. One slot has them all. */
export interface RecordingKeys {
  readonly name: string
  readonly recording: string
  readonly log: string
}

/** Names are hashed: neither their length nor what is in them reaches Redis. */
export function recordingKeys(prefix: string, name: string, token: string): RecordingKeys {
  const slot = `${nameKey(prefix, name)}:${token}`
  return { name: nameKey(prefix, name), recording: `${slot}:r`, log: `${slot}:l` }
}

export function nameKey(prefix: string, name: string): string {
  return `${prefix}:{${digestOf(name)}}`
}

/** Of the text as it is: as UTF-8, texts that aren't well-formed would be taken for one another. */
export function digestOf(text: string): string {
  return hash('sha256', Buffer.from(text, 'utf16le'), 'base64url')
}
