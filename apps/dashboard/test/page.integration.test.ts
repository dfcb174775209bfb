import { chromiumPath, pollUntil } from '@tidegate/testkit'
import axe from 'axe-core'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { calm, hostile, type Scene, silence, trouble } from './scenes.ts'
import { ScriptedGateway } from './scripted-gateway.ts'

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** For a browser on a machine that is busy with other tests. */
const patienceMs = 45_000

vi.setConfig({ testTimeout: 2 * patienceMs })

let browser: Browser
const openings: Opening[] = []

beforeAll(async () => {
  const executablePath = await chromiumPath()
  browser = await chromium.launch({ executablePath, args: flags, headless: true })
}, 300_000)

afterEach(async () => {
  for (const { page, gateway } of openings.splice(0)) {
    await page.context().close()
    await gateway.goAway().catch(() => undefined)
  }
})

afterAll(async () => {
  await browser?.close()
})

interface Opening {
  readonly page: Page
  readonly gateway: ScriptedGateway
  /** What the browser complained of, the page's policy included. */
  readonly complaints: string[]
  /** Whom the page asked that isn't the gateway. */
  readonly strangers: string[]
}

interface OpenOptions extends BrowserContextOptions {
  readonly key?: string
  readonly streams?: ScriptedGateway['streams']
}

async function open(scene: Scene, options: OpenOptions = {}): Promise<Opening> {
  const { key, streams, ...context } = options
  const gateway = await ScriptedGateway.start(scene)
  gateway.key = key
  gateway.streams = streams ?? 'flow'
  const page = await (await browser.newContext(context)).newPage()
  page.setDefaultTimeout(patienceMs)
  const complaints: string[] = []
  const strangers: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== new URL(gateway.url).origin) strangers.push(request.url())
  })
  const opening = { page, gateway, complaints, strangers }
  openings.push(opening)
  await page.goto(gateway.url)
  return opening
}

const heading = (page: Page, title: string) => page.getByRole('heading', { level: 1, name: title })

async function logIn(page: Page, key: string): Promise<void> {
  await page.getByLabel('Admin key').fill(key)
  await page.getByRole('button', { name: 'Log in' }).click()
}

/** Waits until the page asks for something, after so many questions. */
function asksFor(gateway: ScriptedGateway, question: string, after: number): Promise<void> {
  const describe = () => `the page asks ${question}`
  return pollUntil(() => Promise.resolve(gateway.paths.slice(after).includes(question)), {
    timeoutMs: patienceMs,
    describe,
  })
}

/** What axe finds wrong, in words. */
async function accessibilityProblems(page: Page): Promise<readonly string[]> {
  // Not as a script element: the page's policy would rightly refuse it.
  await page.evaluate(axe.source)
  return page.evaluate(async () => {
    const { axe: checker } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> }
    }
    const { violations } = await checker.run()
    return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)
  })
}

function overflow(page: Page): Promise<number> {
  return page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  )
}

describe('the page', () => {
  it('says that all is well, from the gateway alone and without a complaint of the browser', async () => {
    const { page, complaints, strangers } = await open(calm())
    await heading(page, 'Healthy').waitFor()
    await page.getByText('Live').waitFor()
    await page.locator('.uplot canvas').first().waitFor()
    expect(await page.title()).toBe('Healthy · Tidegate')
    expect(complaints).toEqual([])
    expect(strangers).toEqual([])
  })

  it('says what is wrong, since when and why', async () => {
    const { page } = await open(trouble())
    await heading(page, 'Degraded').waitFor()
    const finding = page.locator('.findings li').first()
    const told = await finding.textContent()
    expect(told).toMatch(/Upstream openai: 1 of 2 endpoints fails/)
    expect(told).toMatch(/breaker open.*first byte timeout/)
    expect(told).toMatch(/since \d\d:\d\d:\d\d \(\d min/)
    const row = page.getByRole('row', { name: /openai/ }).first()
    expect(await row.textContent()).toContain('open')
    await page.locator('.failures summary').first().click()
    expect(await page.locator('.timeline').first().textContent()).toContain(
      'Attempt 1 failed after 5 s',
    )
  })

  it('shows what comes as it comes', async () => {
    const { page, gateway } = await open(calm())
    await page.getByText('Live').waitFor()
    const steady = { ...calm().sample(), 'requests.active': 7_654 }
    gateway.scene.sample = () => steady
    await page.locator('.pulse dd', { hasText: '7.65k' }).waitFor()
  })

  it('asks again and again where a proxy keeps the stream to itself', async () => {
    const { page, gateway } = await open(calm(), { streams: 'silent' })
    await page.locator('.connection.polling').waitFor()
    gateway.streams = 'refused'
    const asked = gateway.paths.length
    await asksFor(gateway, 'GET /metrics/history', asked)
    expect(await page.locator('.connection').getAttribute('class')).toContain('polling')
  })

  it('says that the gateway is gone and since when, and goes on when it is back', async () => {
    const { page, gateway, complaints } = await open(calm())
    await heading(page, 'Healthy').waitFor()
    await gateway.goAway()
    await heading(page, 'No answer').waitFor()
    expect(await page.locator('.headline').textContent()).toMatch(
      /doesn’t answer since \d\d:\d\d:\d\d/,
    )
    await gateway.comeBack()
    await heading(page, 'Healthy').waitFor()
    await page.getByText('Live').waitFor()
    // A browser tells every refused connection, and nothing else may be told.
    expect(complaints.filter((each) => !each.startsWith('Failed to load resource'))).toEqual([])
  })

  it('tells an answer of somebody in front of the gateway from one of its own', async () => {
    const { page, gateway } = await open(calm())
    await heading(page, 'Healthy').waitFor()
    gateway.broken = 502
    await heading(page, 'No answer').waitFor()
    expect(await page.locator('.headline').textContent()).toContain('(502)')
    gateway.broken = undefined
    await heading(page, 'Healthy').waitFor()
  })

  it('says that the gateway drains', async () => {
    const { page, gateway } = await open(calm())
    await heading(page, 'Healthy').waitFor()
    gateway.scene.draining = true
    await heading(page, 'Draining').waitFor()
  })

  it('shows other windows, and points at instants, by keys alone', async () => {
    const { page, gateway } = await open(calm())
    await page.getByText('Live').waitFor()
    const asked = gateway.paths.length
    await page.getByRole('radio', { name: '5 min' }).focus()
    await page.keyboard.press('ArrowRight')
    await page.getByRole('heading', { name: 'The last hour' }).waitFor({ state: 'attached' })
    await asksFor(gateway, 'GET /metrics/history', asked)
    const chart = page.getByRole('slider', { name: 'Traffic over time' })
    await page.getByRole('radio', { name: '1 h' }).press('ArrowLeft')
    await page.locator('.legend b', { hasText: /\d\/s/ }).first().waitFor()
    await chart.focus()
    await page.keyboard.press('ArrowLeft')
    expect(await chart.getAttribute('aria-valuetext')).toMatch(
      /^\d\d:\d\d:\d\d: requests .*\/s, errors/,
    )
    await page.keyboard.press('Escape')
    expect(await chart.getAttribute('aria-valuetext')).toBe('now')
  })

  it('lets keys reach everything, in order and with a visible focus, and never holds them', async () => {
    const { page } = await open(trouble())
    await page.getByText('Live').waitFor()
    const reached: string[] = []
    for (let presses = 0; presses < 80; presses += 1) {
      await page.keyboard.press('Tab')
      const focused = await page.evaluate(() => {
        const element = document.activeElement
        if (element === null || element === document.body) return null
        const shown = element.matches('.choice input') ? element.nextElementSibling : element
        const { outlineStyle, outlineWidth } = getComputedStyle(shown ?? element)
        const visible = outlineStyle !== 'none' && outlineWidth !== '0px'
        const name = element.getAttribute('aria-label') ?? element.textContent ?? ''
        return { name: name.trim() || (element as HTMLInputElement).type, visible }
      })
      if (focused === null) break
      expect(focused).toEqual({ name: focused.name, visible: true })
      reached.push(focused.name)
    }
    expect(reached[0]).toBe('Skip to the state of the gateway')
    for (const wanted of [
      'radio',
      'Theme: auto',
      'Traffic over time',
      '2 endpoints',
      'Show all 14',
    ]) {
      expect(reached).toContain(wanted)
    }
    expect(reached.length).toBeLessThan(80)
  })

  it('skips to what matters', async () => {
    const { page } = await open(calm())
    await heading(page, 'Healthy').waitFor()
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('content')
  })

  it('remembers the theme that was chosen', async () => {
    const { page } = await open(calm(), { colorScheme: 'light' })
    const ground = () =>
      page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor)
    await heading(page, 'Healthy').waitFor()
    const light = await ground()
    await page.getByRole('button', { name: 'Theme: auto' }).click()
    await page.getByRole('button', { name: 'Theme: light' }).click()
    await page.getByRole('button', { name: 'Theme: dark' }).waitFor()
    expect(await ground()).not.toBe(light)
    await page.reload()
    await page.getByRole('button', { name: 'Theme: dark' }).waitFor()
    expect(await ground()).not.toBe(light)
  })
})

describe('a session', () => {
  it('begins with the admin key, and ends by logging out', async () => {
    const { page, gateway, strangers } = await open(calm(), { key: 'correct' })
    await logIn(page, 'wrong')
    await page.getByText('This isn’t the gateway’s admin key.').waitFor()
    await logIn(page, 'correct')
    await heading(page, 'Healthy').waitFor()
    await page.getByRole('button', { name: 'Log out' }).click()
    await page.getByLabel('Admin key').waitFor()
    expect(await page.getByText('Your session has ended').count()).toBe(0)
    expect(gateway.paths).toContain('POST /dashboard/logout')
    expect(strangers).toEqual([])
  })

  it('that expired asks for the key, shows no figure meanwhile, and goes on', async () => {
    const { page, gateway } = await open(calm(), { key: 'correct' })
    await logIn(page, 'correct')
    await heading(page, 'Healthy').waitFor()
    gateway.endSessions()
    await page.getByText('Your session has ended').waitFor()
    expect(await page.locator('.panel').count()).toBe(0)
    await logIn(page, 'correct')
    await heading(page, 'Healthy').waitFor()
  })
})

describe('accessibility', () => {
  const schemes = ['light', 'dark'] as const
  const widths = [1440, 360] as const
  const looks = schemes.flatMap((colorScheme) => widths.map((width) => ({ colorScheme, width })))

  it.each(looks)('holds in $colorScheme at $width px, and nothing is wider', async (look) => {
    const viewport = { width: look.width, height: 800 }
    const { page } = await open(trouble(), { ...look, viewport, reducedMotion: 'reduce' })
    await page.getByText('Live').waitFor()
    await page.locator('.failures summary').first().click()
    await page.locator('.chart summary').first().click()
    expect(await accessibilityProblems(page)).toEqual([])
    expect(await overflow(page)).toBeLessThanOrEqual(0)
  })

  it.each(schemes)('holds in the login form in %s', async (colorScheme) => {
    const { page } = await open(calm(), { colorScheme, key: 'correct' })
    await logIn(page, 'wrong')
    await page.getByText('This isn’t the gateway’s admin key.').waitFor()
    expect(await accessibilityProblems(page)).toEqual([])
  })

  it('keeps still for those who ask for it', async () => {
    const { page } = await open(calm(), { reducedMotion: 'reduce' })
    await page.getByText('Live').waitFor()
    expect(await page.evaluate(() => document.getAnimations().length)).toBe(0)
  })
})

describe('odd data', () => {
  it.each([1440, 360])('is text, and breaks nothing at %i px', async (width) => {
    const viewport = { width, height: 800 }
    const { page, complaints } = await open(hostile(), { viewport })
    await page.getByText('Live').waitFor()
    await heading(page, 'Unhealthy').waitFor()
    await page.getByRole('button', { name: 'Show all 60' }).first().click()
    for (const summary of await page.locator('.failures summary').all()) await summary.click()
    expect(await page.locator('img, main script').count()).toBe(0)
    expect(await page.evaluate(() => 'hacked' in window)).toBe(false)
    expect(await page.evaluate(() => Object.keys(Object.prototype))).toEqual([])
    expect(await overflow(page)).toBeLessThanOrEqual(0)
    expect(complaints).toEqual([])
  })

  it('of a gateway that nobody asked anything yet is shown as nothing', async () => {
    const { page, complaints } = await open(silence())
    await heading(page, 'Healthy').waitFor()
    await page.getByText('Live').waitFor()
    expect(await page.locator('.targets').textContent()).toMatch(/too little to judge|no figure/)
    expect(await page.locator('body').textContent()).not.toMatch(/NaN|undefined|null|Infinity/)
    expect(complaints).toEqual([])
  })
})
