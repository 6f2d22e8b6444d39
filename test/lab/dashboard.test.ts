import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type OpenPage, openPage, withoutBrowser } from '../support/open-browser.js'
import { createLabHome, type Lab } from '../support/start-lab.js'

describe.skipIf(withoutBrowser)('the dashboard in a browser', () => {
  const home = createLabHome()
  let lab: Lab
  let opened: OpenPage

  beforeAll(async () => {
    lab = await home.start({ SIMULATION_SPEED: '5', SIMULATED_POTENTIOSTATS: '1' })
    opened = await openPage(lab.url)
  })
  afterAll(async () => {
    await opened?.close()
    await home.remove()
  })

  const text = (selector: string): Promise<string> => opened.page.locator(selector).innerText()
  const startJob = (job: string) =>
    lab.send('POST', `/unit_api/jobs/run/job_name/${job}`, { env: { EXPERIMENT: 'growth' } })

  it('names the unit and says that its hardware is simulated', async () => {
    await expect.poll(() => text('#unit')).toBe('lab')
    expect(await text('#simulated')).toContain('simulated')
    await expect.poll(() => text('#services')).toBe('services ready')
    await expect.poll(() => text('#log')).toBe('log is written')
  })

  it('draws the optical density and the speed while the jobs run, and lists them', { timeout: 60_000 }, async () => {
    expect((await startJob('stirring')).status).toBe(202)
    expect((await startJob('od_reading')).status).toBe(202)
    for (const chart of ['#od', '#rpm']) {
      await expect
        .poll(() => opened.page.locator(`${chart} polyline`).getAttribute('points'), { timeout: 30_000 })
        .toMatch(/^[\d.]+,[\d.]+ [\d.]+,[\d.]+/)
    }
    await expect.poll(() => text('#jobs')).toContain('stirring')
    expect(await text('#jobs')).toContain('od_reading')
  })

  it('follows a run to its end and links its files', { timeout: 60_000 }, async () => {
    const { status } = await lab.send('POST', '/jobs', {
      devices: ['slot01'],
      modes: ['CA'],
      params_by_mode: { CA: { potential: 0.1, duration: 2 } },
      tia_gain: 1,
      experiment_name: 'browser',
      client_datetime: '2026-01-31T10-15-31',
    })
    expect(status).toBe(200)
    await expect.poll(() => text('#runs'), { timeout: 30_000 }).toContain('done')
    expect(await opened.page.locator('#runs a').first().getAttribute('href')).toMatch(/^\/runs\/.+\/zip$/)
  })

  it('meets no error meanwhile', () => {
    expect(opened.failures).toEqual([])
  })
})
