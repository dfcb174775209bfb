import { useState } from 'preact/hooks'

/** The first of a long list, and the rest when it is asked for. */
export function useMore<T>(all: readonly T[], few: number) {
  const [open, setOpen] = useState(false)
  const button =
    all.length > few ? (
      <button type="button" class="more" aria-expanded={open} onClick={() => setOpen(!open)}>
        {open ? 'Show fewer' : `Show all ${all.length}`}
      </button>
    ) : null
  return { shown: open ? all : all.slice(0, few), button }
}
