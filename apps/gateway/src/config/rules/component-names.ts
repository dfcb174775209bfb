/** What stands below `/health` beside upstreams and checks, which have names of their own. */
export const COMPONENT_NAMES = [
  ...['upstreams', 'failures', 'components', 'advanced'],
  ...['process', 'limits', 'redis', 'cache', 'auth'],
  ...['memory', 'disk', 'event_loop', 'connections', 'configuration'],
] as const
