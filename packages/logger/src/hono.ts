export const hono = 1
