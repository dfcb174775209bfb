import type { Problem } from '@tidegate/server'

/** What can be wrong with metrics that are published, and with what is asked of them. */
export type MetricStreamErrorCode =
  | 'invalid_metric'
  | 'invalid_metrics_query'
  | 'metrics_unavailable'

/** Their rows of the table of problems. */
export const metricStreamProblems = {
  invalid_metric: {
    status: 400,
    title: 'A metric can not be published as it is',
    type: 'invalid_request_error',
    fault: 'client',
    remedy:
      'Send {"name": "shop.carts", "value": 3}, with "tags" and "at" if you like, or an array of up to 1,000 of them. None of these was taken.',
    retry: false,
  },
  invalid_metrics_query: {
    status: 400,
    title: 'It is not clear which metrics are meant',
    type: 'invalid_request_error',
    fault: 'client',
    remedy: 'Name metrics as metric=a,b and a time as window=300s.',
    retry: false,
  },
  metrics_unavailable: {
    status: 503,
    title: 'The stream of metrics is not available now',
    type: 'api_error',
    fault: 'gateway',
    expose: true,
    remedy: 'Retry. Of metrics that were to be published, some may be in the stream already.',
    retry: true,
  },
} as const satisfies Record<MetricStreamErrorCode, Problem>
