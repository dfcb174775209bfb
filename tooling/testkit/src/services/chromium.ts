import { requireProgram } from './binaries.ts'

export const chromiumPrograms: readonly string[] = ['chromium', 'chromium-browser', 'google-chrome']

/**
 * Where Chromium is. A missing one is installed for root, which takes longer than a test may: ask in a
 * `beforeAll` with a limit of its own.
 */
export async function chromiumPath(): Promise<string> {
  return await requireProgram({ programs: chromiumPrograms, debianPackage: 'chromium' })
}
