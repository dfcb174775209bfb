export {
  createDrain,
  type Drain,
  type DrainOptions,
  type DrainPhase,
  type DrainResult,
} from './node/drain.ts'
export { type HardenOptions, hardenServer } from './node/harden-server.ts'
export { type Fetch, type OutgoingBinding, onNode } from './node/on-node.ts'
export { type ServerLimits, serverOptions } from './node/server-options.ts'
export { describeStartFailure, type ListenNames } from './node/start-failure.ts'
export { alreadySent } from './problems/problems.ts'
