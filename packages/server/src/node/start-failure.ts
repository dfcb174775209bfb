/** What the variables, or options, are called that say where a server listens. */
export interface ListenNames {
  readonly host: string
  readonly port: string
}

/** Why a start failed and what to do, in one line without a stack: for the last words of a command. */
export function describeStartFailure(error: unknown, { host, port: own }: ListenNames): string {
  const { code, syscall, message, address, port } = factsOf(error)
  const where = port === undefined ? 'there' : `port ${port}${address ? ` of ${address}` : ''}`
  if (syscall === 'getaddrinfo') return `The host to listen on can not be resolved; check ${host}.`
  switch (syscall === 'listen' || syscall === 'bind' ? code : undefined) {
    case 'EADDRINUSE':
      return `Something listens on ${where} already; stop it, or set ${own} to a free one.`
    case 'EACCES':
      return `This user may not listen on ${where}; set ${own} to one above 1023.`
    case 'EADDRNOTAVAIL':
      return `${address ?? 'The host'} is no address of this machine; check ${host}.`
    default:
      return message.split('\n', 1)[0]?.trim() || 'It could not start.'
  }
}

interface Facts {
  readonly message: string
  readonly code?: unknown
  readonly syscall?: unknown
  readonly address?: unknown
  readonly port?: unknown
}

function factsOf(error: unknown): Facts {
  return error instanceof Error ? error : { message: String(error) }
}
