/** What an operation may ask for. A key's scopes may also be wider: `keys:*`, or `*` for everything. */
export const SCOPES = [
  'keys:read',
  'keys:write',
  'setup:read',
  'setup:write',
  'setup:reveal',
  'audit:read',
  'health:read',
  'metrics:read',
] as const

export type Scope = (typeof SCOPES)[number]
