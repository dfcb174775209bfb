import type { Problem } from '@tidegate/server'

/** What can be wrong with what is asked of the cache. */
export type CacheErrorCode = 'not_cached' | 'invalid_cache_target' | 'nothing_to_warm'

/** Their rows of the table of problems. */
export const cacheProblems = {
  not_cached: {
    status: 504,
    title: 'No such answer is kept',
    type: 'invalid_request_error',
    fault: 'client',
    remedy: 'The request wanted none but a kept answer: repeat it without only-if-cached.',
    retry: false,
  },
  invalid_cache_target: {
    status: 400,
    title: 'It is not clear which answers are meant',
    type: 'invalid_request_error',
    fault: 'client',
    remedy: 'Name one of tag, prefix, pattern, key, user and namespace, or say all=true.',
    retry: false,
  },
  nothing_to_warm: {
    status: 400,
    title: 'It is not clear what is to be fetched',
    type: 'invalid_request_error',
    fault: 'client',
    remedy:
      'Send {"entries": [{"path": "/v1/models"}]} with up to 1,000 requests of routes that cache, or {} for the popular ones.',
    retry: false,
  },
} as const satisfies Record<CacheErrorCode, Problem>
