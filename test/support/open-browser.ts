import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, chromium, type Page } from 'playwright-core'

/** Debian's package puts it here; a download of playwright's own is not needed. */
const CHROMIUM = '/usr/bin/chromium'

/** True where a test with a browser has to be skipped: there is none, and nobody requires it. */
export const withoutBrowser = process.env['REQUIRE_PEERS'] !== '1' && !existsSync(CHROMIUM)

/** A page in a browser, with everything that went wrong in it. */
export interface OpenPage {
  readonly page: Page
  /** Uncaught exceptions, messages on the error console and answers of 500 and above. */
  readonly failures: readonly string[]
  close(): Promise<void>
}

/** Opens a page in a headless Chromium with a profile of its own. It talks to nobody but the address given. */
export async function openPage(url: string): Promise<OpenPage> {
  const profile = mkdtempSync(join(tmpdir(), 'benchlog-chromium-'))
  const context: BrowserContext = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    ignoreHTTPSErrors: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking', '--disable-sync'],
  })
  const page = await context.newPage()
  const failures: string[] = []
  page.on('pageerror', (error) => failures.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') failures.push(message.text())
  })
  page.on('response', (response) => {
    if (response.status() >= 500) failures.push(`${response.status()} ${response.url()}`)
  })
  await page.goto(url)
  return {
    page,
    failures,
    async close() {
      await context.close()
      rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })
    },
  }
}
