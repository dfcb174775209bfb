import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { tarballProblems, typeResolutionProblems } from '../rules/packed.ts'

/** The least a tar reader takes: one 512-byte header per file, its bytes padded, two empty blocks. */
function tarball(files: Readonly<Record<string, string>>): Buffer {
  const blocks = Object.entries(files).flatMap(([name, text]) => {
    const body = Buffer.from(text)
    const header = Buffer.alloc(512)
    header.write(`package/${name}`, 0)
    header.write('0000644\0', 100)
    header.write(`${body.length.toString(8).padStart(11, '0')}\0`, 124)
    header.write('        0ustar\0' + '00', 148)
    const sum = header.reduce((total, byte) => total + byte, 0)
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
    return [header, body, Buffer.alloc((512 - (body.length % 512)) % 512)]
  })
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]))
}

const manifest = {
  name: 'a',
  version: '1.0.0',
  type: 'module',
  license: 'MIT',
  files: ['dist'],
  exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
}
const files = {
  'package.json': JSON.stringify(manifest),
  'dist/index.js': 'export const a = 1\n',
  'dist/index.d.ts': 'export declare const a: number\n',
}

describe('tarballProblems', () => {
  it('accepts a package that holds what it exports', async () => {
    expect(await tarballProblems('a', tarball(files))).toEqual([])
  })

  it('finds an exported file that was not packed', async () => {
    const { 'dist/index.js': _, ...rest } = files
    expect((await tarballProblems('a', tarball(rest))).join()).toContain('dist/index.js')
  })
})

describe('typeResolutionProblems', () => {
  it('accepts a package of modules only', async () => {
    expect(await typeResolutionProblems('a', tarball(files))).toEqual([])
  })

  it('finds declarations that name what the code does not export', async () => {
    const bad = { ...files, 'dist/index.d.ts': "export { a } from './gone'\n" }
    expect(await typeResolutionProblems('a', tarball(bad))).not.toEqual([])
  })

  it('finds a package without types', async () => {
    const { 'dist/index.d.ts': _, ...rest } = files
    const untyped = { ...manifest, exports: { '.': './dist/index.js' } }
    const found = await typeResolutionProblems(
      'a',
      tarball({ ...rest, 'package.json': JSON.stringify(untyped) }),
    )
    expect(found).not.toEqual([])
  })
})
