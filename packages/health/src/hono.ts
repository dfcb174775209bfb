export { type HealthRoutesOptions, healthRoutes } from './hono/health-routes.ts'
export { type ShedLoadOptions, shedLoad } from './hono/shed-load.ts'
