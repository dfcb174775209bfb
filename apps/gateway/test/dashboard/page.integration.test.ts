import {
  chromiumPath,
  type Provider,
  pollUntil,
  type RunningGateway,
  startGateway,
  startProvider,
} from '@tidegate/testkit'
import axe from 'axe-core'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { trafficTo } from './traffic.ts'

const adminKey = 'an-operators-key-of-some-length'

/** For a browser on a machine that is busy with other tests. */
const patienceMs = 45_000

vi.setConfig({ testTimeout: 4 * patienceMs })

let browser: Browser
let provider: Provider

beforeAll(async () => {
  const executablePath = await chromiumPath()
  const args = [
    ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
    ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
  ]
  browser = await chromium.launch({ executablePath, args, headless: true })
  provider = await startProvider()
}, 300_000)

afterAll(async () => {
  await browser?.close()
  await provider?.[Symbol.asyncDispose]()
})

async function gatewayWith(admin: Readonly<Record<string, string>>): Promise<RunningGateway> {
  const endpoints = [{ url: `${provider.url}/v1` }]
  return await startGateway({
    config: {
      version: 1,
      admin,
      // As long as a page may take to notice it.
      server: { drain: { delay: '60s', timeout: '90s' } },
      upstreams: {
        models: {
          protocol: 'openai',
          endpoints,
          retry: 'off',
          breaker: { failures: 3, openFor: '6s' },
        },
      },
      routes: [{ match: '/v1/**', upstreams: ['models'], auth: 'none' }],
    },
    env: { ENVIRONMENT: 'development' },
    graceMs: 1_000,
  })
}

interface Opening extends AsyncDisposable {
  readonly page: Page
  /** What the browser complained of, the page's policy included. */
  readonly complaints: string[]
  /** Whom the page asked that isn't the gateway. */
  readonly strangers: string[]
}

async function open(gateway: RunningGateway): Promise<Opening> {
  const context = await browser.newContext()
  const page = await context.newPage()
  page.setDefaultTimeout(patienceMs)
  const complaints: string[] = []
  const strangers: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== gateway.url) strangers.push(request.url())
  })
  await page.goto(`${gateway.url}/dashboard`)
  return {
    ...{ page, complaints, strangers },
    [Symbol.asyncDispose]: async () => await context.close(),
  }
}

async function logIn(page: Page, key = adminKey): Promise<void> {
  await page.getByLabel('Admin key').fill(key)
  await page.getByRole('button', { name: 'Log in' }).click()
}

const heading = (page: Page, title: string) => page.getByRole('heading', { level: 1, name: title })

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

/** Waits until a figure of the page is another one, and returns it. */
async function another(page: Page, selector: string, before: string): Promise<string> {
  let now = before
  const check = async () => {
    now = (await page.locator(selector).first().textContent()) ?? ''
    return now !== before && /\d/.test(now)
  }
  const describe = () => `"${selector}" is another than "${before}"`
  await pollUntil(check, { timeoutMs: patienceMs, intervalMs: 100, describe })
  return now
}

describe('the dashboard of a real gateway', () => {
  it('tells of traffic as it comes, of an upstream that fails, and of its recovery', async () => {
    await using gateway = await gatewayWith({ key: adminKey })
    await using opening = await open(gateway)
    const { page, complaints, strangers } = opening
    await logIn(page)
    await heading(page, 'Healthy').waitFor()
    await using _traffic = trafficTo(gateway.url)
    await page.getByText('Live').waitFor()
    const requests = await another(page, '.pulse dd', '0')
    await another(page, '.pulse dd', requests)
    const row = page.getByRole('row', { name: /models/ }).first()
    await row.getByText('closed').waitFor()
    await page.getByRole('row', { name: /\/v1\/\*\*/ }).waitFor()
    expect(await accessibilityProblems(page)).toEqual([])

    await provider.die('refuse')
    await row.getByText('open', { exact: true }).waitFor()
    await heading(page, 'Unhealthy').waitFor()
    await page.getByText('Upstream models fails').waitFor()
    await page.locator('.failures summary').first().waitFor()
    expect(await accessibilityProblems(page)).toEqual([])

    await provider.recover()
    await row.getByText('closed').waitFor()
    expect(complaints).toEqual([])
    expect(strangers).toEqual([])
  })

  it('says that it drains, and that it is gone', async () => {
    await using gateway = await gatewayWith({ key: adminKey })
    await using opening = await open(gateway)
    const { page } = opening
    await logIn(page)
    await heading(page, 'Healthy').waitFor()
    gateway.signal('SIGTERM')
    await heading(page, 'Draining').waitFor()
    gateway.signal('SIGTERM')
    await heading(page, 'No answer').waitFor()
  })

  it('asks for the key, keeps the session over a reload, and ends it', async () => {
    await using gateway = await gatewayWith({ key: adminKey })
    await using opening = await open(gateway)
    const { page, strangers } = opening
    await logIn(page, 'wrong')
    await page.getByText('This isn’t the gateway’s admin key.').waitFor()
    await logIn(page)
    await heading(page, 'Healthy').waitFor()
    const [cookie] = await page.context().cookies()
    expect(cookie).toMatchObject({ name: 'tidegate_session', httpOnly: true, sameSite: 'Strict' })
    expect(await page.evaluate('document.cookie')).toBe('')
    await page.reload()
    await heading(page, 'Healthy').waitFor()
    await page.getByRole('button', { name: 'Log out' }).click()
    await page.getByLabel('Admin key').waitFor()
    expect(await page.context().cookies()).toEqual([])
    expect(strangers).toEqual([])
  })

  it('asks for nothing where there is no key', async () => {
    await using gateway = await gatewayWith({})
    await using opening = await open(gateway)
    const { page, complaints } = opening
    await heading(page, 'Healthy').waitFor()
    expect(await page.getByRole('button', { name: 'Log out' }).count()).toBe(0)
    expect(complaints).toEqual([])
  })
})
