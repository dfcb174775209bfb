/** The head of a table of figures: each column with its class, as a `number` or one for `wide` screens only. */
export function TableHead(props: {
  readonly columns: readonly (readonly [name: string, kind?: 'number' | 'number wide'])[]
}) {
  return (
    <thead>
      <tr>
        {props.columns.map(([name, kind]) => (
          <th key={name} scope="col" class={kind}>
            {name}
          </th>
        ))}
      </tr>
    </thead>
  )
}
