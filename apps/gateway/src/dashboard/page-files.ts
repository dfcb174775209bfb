import { hash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname } from 'node:path'

/** How a file was compressed when it was built; the best first. */
const ENCODINGS = { br: '.br', gzip: '.gz' } as const

type Encoding = keyof typeof ENCODINGS

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** One file of the page, in memory: what is served belongs together, whatever happens on the disk. */
export interface PageFile {
  readonly type: string
  /** Of what is in it. */
  readonly digest: string
  readonly plain: Uint8Array<ArrayBuffer>
  readonly compressed: ReadonlyMap<Encoding, Uint8Array<ArrayBuffer>>
}

/** The page and what it loads, by their paths below `/dashboard/`. */
export type PageFiles = ReadonlyMap<string, PageFile>

/** The files of a folder that the build has filled; `undefined` where it hasn't. */
export async function readPageFiles(folder: URL): Promise<PageFiles | undefined> {
  const names = await namesIn(folder)
  if (!names.has('index.html')) return undefined
  const files = new Map<string, PageFile>()
  for (const name of names) {
    const type = TYPES[extname(name)]
    if (type !== undefined) files.set(name, await readPageFile(folder, name, names, type))
  }
  return files
}

async function namesIn(folder: URL): Promise<ReadonlySet<string>> {
  const list = async (below: string): Promise<string[]> => {
    const entries = await readdir(new URL(below, folder), { withFileTypes: true }).catch(() => [])
    return entries.filter((each) => each.isFile()).map(({ name }) => below + name)
  }
  return new Set([...(await list('')), ...(await list('assets/'))])
}

async function readPageFile(
  folder: URL,
  name: string,
  names: ReadonlySet<string>,
  type: string,
): Promise<PageFile> {
  const plain = await readFile(new URL(name, folder))
  const compressed = new Map<Encoding, Uint8Array<ArrayBuffer>>()
  for (const [encoding, ending] of Object.entries(ENCODINGS) as [Encoding, string][]) {
    if (names.has(name + ending)) {
      compressed.set(encoding, await readFile(new URL(name + ending, folder)))
    }
  }
  return { type, digest: hash('sha256', plain, 'base64url').slice(0, 22), plain, compressed }
}
