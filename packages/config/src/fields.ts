export { type ByteSizeOptions, byteSize, formatByteSize } from './fields/byte-size.ts'
export { boolean, choice, type NotBuiltYetOptions, notBuiltYet, offOr } from './fields/choices.ts'
export { type DurationOptions, duration, formatDuration } from './fields/duration.ts'
export { type IntegerOptions, integer, percent, port } from './fields/numbers.ts'
export type { Field } from './fields/parsed.ts'
export { formatRate, type Rate, rate } from './fields/rate.ts'
export {
  type ConnectionUrlOptions,
  connectionUrl,
  httpUrl,
  list,
  type SecretOptions,
  secret,
} from './fields/texts.ts'
