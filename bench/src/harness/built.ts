interface Doors {
  cache: typeof import('../../../packages/cache/src/index.ts')
  'cache/redis': typeof import('../../../packages/cache/src/redis.ts')
  'rate-limit': typeof import('../../../packages/rate-limit/src/index.ts')
  'rate-limit/hono': typeof import('../../../packages/rate-limit/src/hono.ts')
  'rate-limit/redis': typeof import('../../../packages/rate-limit/src/redis.ts')
  redis: typeof import('../../../packages/redis/src/index.ts')
}

/** A door of one of our packages, measured as built, so that it is what users get. */
export async function built<Door extends keyof Doors>(door: Door): Promise<Doors[Door]> {
  const [name, file = 'index'] = door.split('/')
  const url = new URL(`../../../packages/${name}/dist/${file}.js`, import.meta.url)
  return await import(url.href).catch((cause: unknown) => {
    throw new Error('Run `npx -y pnpm@12 build` in the root first.', { cause })
  })
}
