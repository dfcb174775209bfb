export interface Product {
  readonly id: string
  readonly name: string
  readonly price: number
}

/** What the shop needs of its database. */
export interface Products {
  find(id: string, signal: AbortSignal): Promise<Product | null>
  save(product: Product): Promise<void>
}

/** Stands for a database: it takes its time. */
export function slowProducts(rows: readonly Product[], takesMs: number): Products {
  const byId = new Map(rows.map((row) => [row.id, row]))
  const wait = () => new Promise((resolve) => setTimeout(resolve, takesMs))
  return {
    async find(id) {
      await wait()
      return byId.get(id) ?? null
    },
    async save(product) {
      await wait()
      byId.set(product.id, product)
    },
  }
}
