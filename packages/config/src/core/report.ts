import { formatPath } from './path.ts'
import type { Problem } from './problem.ts'
import { describeSource, type Profile, type Source } from './source.ts'

/** Where one value of the configuration comes from. */
export interface Origin {
  readonly path: string
  readonly source: Source
}

/** All that is known of a configuration after reading it, apart from its values. */
export interface Report {
  /** The program's name. */
  readonly name: string
  readonly profile: Profile
  /** The files that were asked for, lowest first. */
  readonly files: readonly string[]
  /** What keeps the configuration from being used. Empty when it is valid. */
  readonly problems: readonly Problem[]
  /** What is probably a mistake but harmless. */
  readonly warnings: readonly Problem[]
  /** The place each value comes from; defaults are listed once the configuration is valid. */
  readonly origins: readonly Origin[]
  /** The report as a compiler prints it: `file:line:column  path: message`, a line per problem. */
  toText(): string
  /** The report as data: everything above. */
  toJSON(): ReportData
}

/** The form in which a report is written as JSON. */
export type ReportData = Omit<Report, 'toText' | 'toJSON'>

/**
 * Makes a report of data, for a program that adds findings of its own to what loading found. Puts problems
 * in the order in which a reader meets them and adds the two printed forms.
 */
export function createReport(data: ReportData): Report {
  const sorted: ReportData = Object.freeze({
    ...data,
    problems: Object.freeze(inReadingOrder(data.problems, data.files)),
    warnings: Object.freeze(inReadingOrder(data.warnings, data.files)),
  })
  return Object.freeze({ ...sorted, toText: () => toText(sorted), toJSON: () => sorted })
}

function toText({ name, profile, problems, warnings }: ReportData): string {
  const verdict =
    problems.length === 0
      ? 'is valid'
      : `has ${problems.length} problem${problems.length > 1 ? 's' : ''}`
  const head = `${name}: the configuration ${verdict} (profile ${profile})`
  const lines = problems.map((problem) => toLine(problem))
  return [head, ...lines, ...warnings.map((warning) => toLine(warning, 'warning: '))].join('\n')
}

const ROOT = formatPath([])

function toLine({ source, path, message, suggestion }: Problem, label = ''): string {
  const subject = path === ROOT ? '' : `${path}: `
  const hint = suggestion === undefined ? '' : `\n  did you mean "${suggestion}"?`
  const place = source.kind === 'default' ? '' : `${describeSource(source)}  `
  return `${place}${label}${subject}${message}${hint}`
}

// Files in their order and by line, then the rest in the order in which it was found.
function inReadingOrder(problems: readonly Problem[], files: readonly string[]): Problem[] {
  const rank = ({ source }: Problem): number =>
    source.kind === 'file' ? files.indexOf(source.file) : files.length
  return [...problems].sort(
    (one, other) => rank(one) - rank(other) || lineOrder(one.source, other.source),
  )
}

function lineOrder(one: Source, other: Source): number {
  if (one.kind !== 'file' || other.kind !== 'file') return 0
  return one.line - other.line || one.column - other.column
}
