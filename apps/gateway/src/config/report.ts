import {
  createReport,
  type Problem,
  type Report,
  type ReportData,
  type Source,
} from '@tidegate/config'

/** Adds what other readings found to a report, what two of them found only once. */
export function mergeReports(
  report: ReportData,
  others: readonly Pick<ReportData, 'problems' | 'warnings'>[],
): Report {
  const all = [...others, report]
  return createReport({
    ...report,
    problems: distinct(all.flatMap(({ problems }) => problems)),
    warnings: distinct(all.flatMap(({ warnings }) => warnings)),
  })
}

function distinct(problems: readonly Problem[]): readonly Problem[] {
  return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()]
}

/** One problem in one line: where, what, and what was probably meant. */
export function describeProblem({ source, path, message, suggestion }: Problem): string {
  const place = describeSource(source)
  const subject = path === '(root)' ? '' : `${path}: `
  const hint = suggestion === undefined ? '' : ` (did you mean "${suggestion}"?)`
  return `${place === '' ? '' : `${place}: `}${subject}${message}${hint}`
}

function describeSource(source: Source): string {
  if (source.kind === 'file') return `${source.file}:${source.line}:${source.column}`
  if (source.kind !== 'env') return ''
  return source.file === undefined ? source.name : `${source.name} (${source.file})`
}
