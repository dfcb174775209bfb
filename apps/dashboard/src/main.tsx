import { render } from 'preact'
import { initialState, reduce, type State } from './data/state.ts'
import { createApi } from './link/api.ts'
import { Link } from './link/link.ts'
import { Page } from './page/page.tsx'
import { nextTheme, rememberedTheme, rememberTheme, type Theme } from './theme.ts'

const now = Date.now
const storage = (): Storage => localStorage
const root = document.getElementById('page') ?? document.body

let state: State = initialState(now())
let theme: Theme = rememberedTheme(storage)
let drawing = false

const link = new Link({
  api: createApi((input, init) => fetch(input, init)),
  openSource: (path) => new EventSource(path),
  dispatch: (event) => {
    state = reduce(state, event, now())
    draw()
  },
  state: () => state,
  now,
})

/** However much happens at once, the page is drawn once for it. */
function draw(): void {
  if (drawing) return
  drawing = true
  queueMicrotask(() => {
    drawing = false
    render(<Page state={state} theme={theme} link={link} onTheme={changeTheme} />, root)
  })
}

function changeTheme(): void {
  theme = nextTheme(theme)
  rememberTheme(storage, theme)
  showTheme()
  draw()
}

function showTheme(): void {
  if (theme === 'auto') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = theme
}

showTheme()
link.tick()
setInterval(() => link.tick(), 1_000)
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) link.tick()
})
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw)
