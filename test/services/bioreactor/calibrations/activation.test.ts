import { afterEach, describe, expect, test } from 'vitest'
import { CALIBRATION } from '../../../../events/bioreactor/artifacts.js'
import { ArtifactNotWritten } from '../../../../events/bioreactor/errors.js'
import type { DosingEvent } from '../../../../events/bioreactor/liquids.js'
import { openStores } from '../../../../services/bioreactor/calibrations/artifact-service.js'
import { createRandom } from '../../../../simulation/random.js'
import { type BioreactorLab, startBioreactorLab } from '../../../support/bioreactor-lab.js'
import { eventually } from '../../../support/eventually.js'
import { FakeClock } from '../../../support/fake-clock.js'
import { give } from '../../../support/give.js'
import { odCalibration } from '../../../support/job-calibrations.js'
import { LitBioreactor } from '../../../support/lit-bioreactor.js'
import { MemoryBroker } from '../../../support/memory-bus.js'
import { pumpCalibration } from '../../../support/pump-calibration.js'
import { silentLogger } from '../../../support/silent-logger.js'
import { temporaryDirectory } from '../../../support/temporary-directory.js'

/** What another calibration does to a job that runs. */

let lab: BioreactorLab
afterEach(async () => {
  const stopped = lab.service.stop()
  await lab.clock.advance(10_000)
  await stopped
  lab.close()
})

const events = (): { event_name: string; message: string }[] =>
  lab
    .published('dosing_automation/latest_event')
    .map((text) => JSON.parse(text) as { event_name: string; message: string })
const longestDuty = (pin: number): number => Math.max(0, lab.bioreactor.duty.get(pin) ?? 0)

describe('a chemostat', () => {
  const MEDIA = 13

  /** One dose of 0.5 mL at the start and every two minutes. */
  async function startChemostat(): Promise<void> {
    for (const name of ['media', 'waste']) lab.calibrations.set(`${name}_pump`, pumpCalibration(name, 1))
    const options = { automation_name: 'chemostat', exchange_volume_ml: 0.5, duration: 2 }
    expect(await lab.run('dosing_automation', options)).toMatchObject({ status: 'succeeded' })
  }

  /** Seconds for which the media pump runs within the next two minutes. */
  async function mediaSeconds(): Promise<number> {
    let seconds = 0
    for (let step = 0; step < 1200; step++) {
      await lab.clock.advance(100)
      if (longestDuty(MEDIA) > 0) seconds += 0.1
    }
    return seconds
  }

  test('doses by the calibration in use when the dose begins', async () => {
    lab = await startBioreactorLab()
    await startChemostat()
    expect(await mediaSeconds()).toBeCloseTo(0.5, 0)
    lab.calibrations.set('media_pump', pumpCalibration('media', 0.05))
    expect(await mediaSeconds()).toBeCloseTo(10, 0)
    const doses = lab.published('dosing_events').map((text) => JSON.parse(text) as DosingEvent)
    const media = doses.filter(({ event }) => event === 'add_media').reduce((sum, dose) => sum + dose.volume_change, 0)
    expect(media).toBeCloseTo(1, 3)
  })

  test('moves nothing while one of its pumps has no calibration, says so, and goes on with the next one', async () => {
    lab = await startBioreactorLab()
    await startChemostat()
    await mediaSeconds()
    lab.calibrations.delete('waste_pump')
    expect(await mediaSeconds()).toBe(0)
    expect(events().at(-1)).toMatchObject({ event_name: 'ErrorOccurred', message: expect.stringContaining('waste') })
    lab.calibrations.set('waste_pump', pumpCalibration('waste', 1))
    expect(await mediaSeconds()).toBeCloseTo(0.5, 0)
  })

  test('goes by its last calibrations while the store cannot be read', async () => {
    const stored = new Map(['media', 'waste'].map((name) => [`${name}_pump`, pumpCalibration(name, 1)]))
    let isBroken = false
    const calibrations = {
      active: async (device: string) => {
        if (isBroken) throw new ArtifactNotWritten('The stored calibrations could not be read or changed.')
        return stored.get(device) ?? null
      },
    }
    lab = await startBioreactorLab({ calibrations })
    await startChemostat()
    await mediaSeconds()
    isBroken = true
    expect(await mediaSeconds()).toBeCloseTo(0.5, 0)
    expect(lab.published('logs/app/warning').join()).toContain('could not be read')
  })
})

test('a pump doses by the file that somebody stores and activates', async () => {
  const broker = new MemoryBroker()
  const bus = broker.connect()
  const clock = new FakeClock()
  const home = temporaryDirectory()
  const { answers, ...stores } = await openStores(
    { unit: 'u1', bus, clock, logger: silentLogger, dotPioreactor: home },
    [],
  )
  lab = await startBioreactorLab({ broker, clock, ...stores })
  const data = { ...pumpCalibration('media', 0.25) }
  const order = { device: 'media_pump', data, set_as_active: true }
  await give({ name: 'stores', commands: answers }, CALIBRATION.commands.save, order)
  const task = await lab.begin('add_media', { ml: 0.5 })
  await eventually(async () => {
    await clock.advance(100)
    expect(lab.published('logs/app/info').join()).toContain('Moved 0.500 mL')
  })
  expect(lab.task(task)).toMatchObject({ status: 'succeeded' })
  const on = lab.bioreactor.writes.filter(({ output }) => output === 'pin13')
  // The duty cycle of the calibration; off at the end.
  expect([on[0]?.value, on.at(-1)?.value]).toEqual([60, 0])
})

test('od_reading goes by the calibration that was in use at its start', async () => {
  lab = await startBioreactorLab({ bioreactor: new LitBioreactor(createRandom(3)) })
  lab.calibrations.set('od90', odCalibration)
  await lab.run('od_reading')
  await lab.clock.advance(11_000)
  const names = (): unknown[] =>
    lab
      .published('od_reading/od2')
      .filter((text) => text !== '')
      .map((text) => (JSON.parse(text) as { calibration_name?: string }).calibration_name)
  lab.calibrations.set('od90', { ...odCalibration, calibration_name: 'c2' })
  await lab.clock.advance(11_000)
  expect(new Set(names())).toEqual(new Set(['c1']))
  await lab.set('od_reading', '$state', 'disconnected')
  await lab.run('od_reading')
  await lab.clock.advance(11_000)
  expect(names().at(-1)).toBe('c2')
})

test.each([
  ['stirring', 'stirring', odCalibration, 'od600'],
  ['od_reading', 'od90', pumpCalibration('media', 1), 'simple_peristaltic_pump'],
  ['add_media', 'media_pump', odCalibration, 'od600'],
])('%s refuses a calibration of another type', async (job, device, calibration, type) => {
  lab = await startBioreactorLab({ bioreactor: new LitBioreactor(createRandom(3)) })
  lab.calibrations.set(device, calibration)
  const task = await lab.run(job, job === 'add_media' ? { ml: 1 } : {})
  expect(task).toMatchObject({ status: 'failed', error: { message: expect.stringContaining(`of type ${type}`) } })
})
