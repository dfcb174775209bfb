import { AsyncLocalStorage } from 'node:async_hooks'
import { DatabaseError } from './errors.ts'

interface OpenTransaction {
  open: boolean
}

/**
 * Knows whether the running code is inside of a transaction. The database's own handle used there
 * would wait for ever on the one connection of an embedded database, and escape the transaction on a
 * pool: both are refused at once.
 */
export class TransactionGuard {
  readonly #storage = new AsyncLocalStorage<OpenTransaction>()

  /** @throws DatabaseError `outside_transaction`. */
  refuseInside(): void {
    if (this.#storage.getStore()?.open !== true) return
    throw new DatabaseError(
      'outside_transaction',
      'The database itself was used inside of a transaction: use the handle that the transaction was given.',
    )
  }

  /** Runs `work` as a transaction; `check` fails once `work` has settled. */
  async enter<T>(work: (check: () => void) => Promise<T>): Promise<T> {
    const transaction: OpenTransaction = { open: true }
    try {
      return await this.#storage.run(transaction, () => work(() => refuseEnded(transaction)))
    } finally {
      transaction.open = false
    }
  }
}

function refuseEnded(transaction: OpenTransaction): void {
  if (transaction.open) return
  throw new DatabaseError(
    'transaction_ended',
    'A transaction was used after its end: await every statement within its function.',
  )
}
