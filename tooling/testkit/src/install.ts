import { installMissing } from './services/install-missing.ts'

/**
 * Vitest's global setup of the integration tests: a run of all of them installs at first what is missing.
 * A run of chosen files leaves that to the files, which may need nothing.
 */
export async function setup(project: { readonly vitest: object }): Promise<void> {
  const chosen: unknown = Reflect.get(project.vitest, 'filenamePattern')
  if (!Array.isArray(chosen) || chosen.length === 0) await installMissing()
}
