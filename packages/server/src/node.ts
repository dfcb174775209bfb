export { alreadySent } from './problems/problems.ts'
