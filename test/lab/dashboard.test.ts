import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { connectAsync } from 'mqtt'
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

  const points = (chart: string) => opened.page.locator(`${chart} polyline`).getAttribute('points')

  it('draws temperature and volume as they come, and the time from which readings repeat is one', {
    timeout: 60_000,
  }, async () => {
    const { status } = await lab.send('POST', '/unit_api/jobs/run/job_name/temperature_automation', {
      options: { automation_name: 'only_record_temperature' },
      env: { EXPERIMENT: 'growth' },
    })
    expect(status).toBe(202)
    for (const current_volume_ml of [12, 13]) {
      await lab.send('PATCH', '/unit_api/bioreactor/experiments/growth', { values: { current_volume_ml } })
    }
    await expect.poll(() => points('#volume'), { timeout: 10_000 }).toMatch(/^[\d.]+,[\d.]+ [\d.]+,[\d.]+/)
    await expect.poll(() => points('#temperature'), { timeout: 30_000 }).toMatch(/^[\d.]+,[\d.]+/)
    await expect.poll(() => text('#jobs'), { timeout: 30_000 }).toMatch(/first_od_obs_time \d+:\d\d:\d\d/)
    expect(await opened.page.locator('#growth').isVisible()).toBe(false)
  })

  it('shows a vial that overflows until it does no more, and bears nonsense', async () => {
    // As a plugin does: nobody else may tell what was dosed.
    const password = readFileSync(join(lab.home, 'run', 'service-password'))
    const client = await connectAsync(`mqtt://localhost:${lab.mqttPort}`, { username: 'service', password })
    const at = new Date().toISOString()
    const dose = { volume_change: 99, event: 'add_media', source_of_event: 'by hand', timestamp: at }
    await client.publishAsync('pioreactor/lab/growth/od_reading/ods', 'nonsense', { qos: 1 })
    await client.publishAsync('pioreactor/lab/growth/dosing_events', JSON.stringify(dose), { qos: 1 })
    await client.endAsync()
    await expect
      .poll(() => text('#overflow'), { timeout: 10_000 })
      .toMatch(/^vial overflows, growth: \d+\.\d+ mL spilled$/)
    await lab.send('PATCH', '/unit_api/bioreactor/experiments/growth', { values: { current_volume_ml: 14 } })
    await expect.poll(() => opened.page.locator('#overflow').isVisible()).toBe(false)
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
