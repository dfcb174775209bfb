/** The four environments a configuration can be made for. */
export type Profile = 'development' | 'test' | 'staging' | 'production'

/** Every profile, in the order they are documented. */
export const PROFILES: readonly [Profile, ...Profile[]] = [
  'development',
  'test',
  'staging',
  'production',
]

/** Where a value, or a problem with one, comes from. */
export type Source =
  | {
      readonly kind: 'file'
      /** The file's path as it was given. */
      readonly file: string
      /** Counted from 1. */
      readonly line: number
      /** Counted from 1, in UTF-16 units. */
      readonly column: number
    }
  | {
      readonly kind: 'env'
      /** The variable's name. */
      readonly name: string
      /** The `.env` file that set it, or the secret file that `NAME_FILE` points at. */
      readonly file?: string
    }
  | { readonly kind: 'profile'; readonly profile: Profile }
  | { readonly kind: 'default' }

/** Where something is, as an editor or a terminal can open it: `tidegate.yaml:12:5`, `PORT (.env)`. */
export function describeSource(source: Source): string {
  switch (source.kind) {
    case 'file':
      return `${source.file}:${source.line}:${source.column}`
    case 'env':
      return source.file === undefined ? source.name : `${source.name} (${source.file})`
    case 'profile':
      return `profile ${source.profile}`
    case 'default':
      return 'default'
  }
}
