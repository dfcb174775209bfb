import { createReadStream } from 'node:fs'
import { canonicalJson, type JsonObject, NotCanonicalError } from './canonical-json.ts'
import { asCheckpoint, type Checkpoint, checkSignature } from './checkpoint.ts'
import { parsePublicKeys } from './checkpoint-keys.ts'
import { isJsonObject } from './event.ts'
import { EXPORT_FORM } from './export.ts'
import { linesOf } from './lines.ts'
import { Lookahead } from './lookahead.ts'
import { CHAIN_START, type ChainHead } from './record.ts'
import { type ChainProblem, type ChainVerdict, problems } from './verdict.ts'
import { verifyChain } from './verify-chain.ts'

/** What an export is verified with. */
export interface ExportEvidence {
  /** The public keys of those that may sign, each 43 characters; from anywhere but where the file comes from. */
  readonly publicKeys: Iterable<string>
  /** Places of the chain that are known from elsewhere, such as a log. */
  readonly known?: readonly ChainHead[] | undefined
}

/**
 * Verifies a file that holds an export, without anything else but the public keys: tells whether all of it is as it
 * was exported, and if not, the first record that was touched. No more than a few lines are held.
 *
 * @throws AuditError `invalid_key` if a public key is none; and what reading the file throws
 */
export async function verifyExportFile(
  path: string,
  evidence: ExportEvidence,
): Promise<ChainVerdict> {
  return await verifyExport(createReadStream(path), evidence)
}

/** As {@link verifyExportFile}, of bytes in chunks of any size. */
export async function verifyExport(
  bytes: AsyncIterable<Uint8Array>,
  { publicKeys, known }: ExportEvidence,
): Promise<ChainVerdict> {
  const keys = [...publicKeys]
  const lines = new Lookahead(parsed(bytes))
  try {
    const end = readEnd((await lines.take())?.value, keys)
    if ('problem' in end) return { intact: false, problem: end.problem }
    const checkpoints: unknown[] = []
    while (isCheckpointLine(await lines.peek(0))) {
      checkpoints.push((await lines.take())?.value?.checkpoint)
    }
    const records = recordsOf(lines)
    return await verifyChain({ records, checkpoints, publicKeys: keys, end, known })
  } finally {
    await lines.close()
  }
}

function readEnd(
  line: JsonObject | undefined,
  publicKeys: readonly string[],
): ChainHead | { readonly problem: ChainProblem } {
  if (
    !line ||
    canonicalJson({ ...line, end: null }) !== canonicalJson({ ...EXPORT_FORM, end: null })
  ) {
    return { problem: problems.noExport() }
  }
  if (line.end === null) return CHAIN_START
  const end = asCheckpoint(line.end)
  if (end?.reason !== 'export') return { problem: problems.noExport() }
  return signedEnd(end, publicKeys)
}

function signedEnd(
  end: Checkpoint,
  publicKeys: readonly string[],
): ChainHead | { readonly problem: ChainProblem } {
  const result = checkSignature(end, parsePublicKeys(publicKeys))
  if (result === 'unknown_key') return { problem: problems.unknownKey(end.seq, end.keyId) }
  return result === 'valid' ? end : { problem: problems.badCheckpoint(end.seq) }
}

function isCheckpointLine(line: JsonObject | undefined): boolean {
  return line !== undefined && Object.keys(line).join() === 'checkpoint'
}

async function* recordsOf(lines: Lookahead<JsonObject | undefined>): AsyncGenerator<unknown, void> {
  for (let line = await lines.take(); line; line = await lines.take()) {
    const { value } = line
    yield value && Object.keys(value).join() === 'record' ? value.record : undefined
  }
}

/** Each line as the object that it is in canonical form, or undefined. */
async function* parsed(
  bytes: AsyncIterable<Uint8Array>,
): AsyncGenerator<JsonObject | undefined, void> {
  for await (const line of linesOf(bytes)) yield line === undefined ? undefined : parseLine(line)
}

function parseLine(line: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return isJsonObject(value) && canonicalJson(value) === line ? value : undefined
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof NotCanonicalError) return undefined
    throw error
  }
}
