export { ResilienceError } from './core/errors.ts'
