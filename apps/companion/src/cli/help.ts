/** What the command line says of itself. */
export const HELP = `The Tidegate companion: keys, sealed settings and the audit log of a gateway

Usage
  tidegate-companion start                   serve until SIGTERM or SIGINT
  tidegate-companion check [--json]          say everything that is wrong with the configuration
  tidegate-companion db migrate              bring the database's tables up to date
  tidegate-companion db verify               say whether they are, and how much is in them
  tidegate-companion db snapshot             copy an embedded database to a file beside it
  tidegate-companion db restore FILE         begin again with such a copy, where there is none or a damaged one
  tidegate-companion keys create --admin     make a key that may do everything in its tenant, shown once
      [--tenant NAME] [--name NAME]          of another tenant than "default", which is made if need be
  tidegate-companion audit export            write the whole audit log, signed, as lines of JSON
  tidegate-companion audit verify FILE       say whether an exported audit log is whole, without a database
      [--keys KEY,KEY]                       by these public keys, instead of those of ENCRYPTION_SECRET
  tidegate-companion help | --version

The environment
  COMPANION_HOST, COMPANION_PORT   where to listen                        [127.0.0.1, 8084]
  DATABASE_URL                     a PostgreSQL; unset: an embedded database in
  COMPANION_DATA_DIR               this folder                            [.tidegate]
  ENCRYPTION_SECRET                seals secrets at rest; required in production (32 characters or more)
  ENCRYPTION_SECRET_PREVIOUS       the one before it, while data are sealed with it
  ADMIN_KEY                        a key that may do everything in the tenant "default"
  ENVIRONMENT                      development, test, staging, production [development]
  LOG_LEVEL                        trace, debug, info, warn, error, fatal [info]

A file named .env in the working directory is read below the environment, and NAME_FILE may name a file that
holds a secret. An embedded database belongs to one process: stop the companion before the other commands.

Exit code: 0 when it is done, 1 when it can't be, 2 for a wrong command line.
`
