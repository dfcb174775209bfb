import type { ComponentChildren } from 'preact'

/** A part of the page with its heading. */
export function Panel(props: {
  readonly title: string
  readonly aside?: ComponentChildren
  readonly children: ComponentChildren
}) {
  const id = `panel-${props.title.toLowerCase().replaceAll(/[^a-z]+/g, '-')}`
  return (
    <section class="panel" aria-labelledby={id}>
      <header>
        <h2 id={id}>{props.title}</h2>
        {props.aside !== undefined && <p class="aside">{props.aside}</p>}
      </header>
      {props.children}
    </section>
  )
}
