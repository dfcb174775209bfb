import { readFileSync, statSync } from 'node:fs'
import { formatPath } from './path.ts'
import type { Problem, ProblemCode } from './problem.ts'
import type { Source } from './source.ts'

const LARGEST_BYTES = 1024 * 1024

/** A file's text, why it can't be had, or that there is no such file. */
export type TextFile =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'absent' }
  | { readonly kind: 'problem'; readonly code: ProblemCode; readonly message: string }

/** Reads a text file of at most 1 MB. A byte order mark is left out. */
export function readText(path: string): TextFile {
  try {
    const { size, ...stats } = describe(path)
    // A pipe or a device would block the start or never end.
    if (!stats.isFile) return refuse('file_unreadable', `is ${stats.what}, not a regular file`)
    if (size > LARGEST_BYTES) return refuse('file_too_large', 'is larger than 1 MB')
    return decode(readFileSync(path))
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'absent' }
    return refuse(
      'file_unreadable',
      `can't be read: ${reasons[code ?? ''] ?? code ?? 'unknown error'}`,
    )
  }
}

/** The problem with a file as a whole. */
export function fileProblem(source: Source, code: ProblemCode, message: string): Problem {
  return { code, path: formatPath([]), message, source }
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied; let the process read it',
  EPERM: 'permission denied; let the process read it',
  ELOOP: 'its symbolic links lead in a circle',
  EMFILE: 'too many files are open',
}

function describe(path: string): { isFile: boolean; what: string; size: number } {
  const stats = statSync(path)
  const what = stats.isDirectory() ? 'a directory' : 'a pipe, a socket or a device'
  return { isFile: stats.isFile(), what, size: stats.size }
}

function decode(bytes: Buffer): TextFile {
  if (bytes.includes(0)) return refuse('invalid_file', 'holds binary data (a NUL byte), not text')
  try {
    return { kind: 'text', text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) }
  } catch {
    return refuse('invalid_file', 'is not UTF-8 text')
  }
}

function refuse(code: ProblemCode, message: string): TextFile {
  return { kind: 'problem', code, message }
}
