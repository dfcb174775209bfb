import type { Problem, Report, ReportData, Source } from '@tidegate/config'

/** The form of a report that tells the path of the whole configuration from others. */
const ROOT = '(root)'

/** Adds what other readings found to a report, what two of them found only once. */
export function mergeReports(report: ReportData, others: readonly ReportData[]): Report {
  const all = [...others, report]
  const data: ReportData = {
    ...report,
    problems: distinct(all.flatMap(({ problems }) => problems)),
    warnings: distinct(all.flatMap(({ warnings }) => warnings)),
  }
  return { ...data, toText: () => toText(data), toJSON: () => data }
}

function distinct(problems: readonly Problem[]): readonly Problem[] {
  return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()]
}

/** One problem in one line: where, what, and what was probably meant. */
export function describeProblem({ source, path, message, suggestion }: Problem): string {
  const place = describeSource(source)
  const subject = path === ROOT ? '' : `${path}: `
  const hint = suggestion === undefined ? '' : ` (did you mean "${suggestion}"?)`
  return `${place === '' ? '' : `${place}: `}${subject}${message}${hint}`
}

function describeSource(source: Source): string {
  if (source.kind === 'file') return `${source.file}:${source.line}:${source.column}`
  if (source.kind !== 'env') return ''
  return source.file === undefined ? source.name : `${source.name} (${source.file})`
}

function toText({ problems, warnings, profile }: ReportData): string {
  const count = `${problems.length} problem${problems.length === 1 ? '' : 's'}`
  const verdict = problems.length === 0 ? 'is valid' : `has ${count}`
  return [
    `tidegate: the configuration ${verdict} (profile ${profile})`,
    ...problems.map((problem) => `  ${describeProblem(problem)}`),
    ...warnings.map((warning) => `  warning: ${describeProblem(warning)}`),
  ].join('\n')
}
