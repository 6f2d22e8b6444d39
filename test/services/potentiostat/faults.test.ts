import { afterEach, describe, expect, test } from 'vitest'
import type { Faults } from '../../../simulation/potentiostat/faults.js'
import { type Device, openSocket, planOf, runMode, startDevice } from './bench.js'

let device: Device
afterEach(() => device.dispose())

const classes = [
  ['CA', { potential: 0.3, duration: 0.3 }],
  ['LSV', { start: 0, end: 0.3, scan_rate: 1 }],
  ['OCP', { duration: 0.3 }],
  ['CP', { current: 1e-6, duration: 0.3 }],
  ['EIS', { start_freq: 200, end_freq: 100, points_per_decade: 1, dc_potential: 'ocp' }],
] as const

const recovered: readonly Faults[] = [
  { leftoverPoints: 500 },
  { stopLatched: true },
  { startsRunning: true, leftoverPoints: 200 },
  { corruptEvery: 29 },
  { cutEvery: 31 },
  { delayEvery: 37 },
  { dropEvery: 23 },
]

describe.each(classes)('%s', (mode, raw) => {
  test.each(recovered)('recovers every sample: %j', async (faults) => {
    device = await startDevice({ faults })
    const { error, observation } = await runMode(await openSocket(device.path), mode, raw)
    expect(error).toBeNull()
    expect(observation).toMatchObject({ samples: planOf(mode, raw).samples, lostSamples: 0, cellOffVerified: true })
    expect(device.device.cellSwitchClosed).toBe(false)
  })

  test('a device that falls silent fails the measurement, and the cell is not claimed to be open', async () => {
    device = await startDevice({ faults: { stuckAfter: 30 } })
    const { error, observation } = await runMode(await openSocket(device.path), mode, raw)
    expect(error).toMatchObject({ code: 'potentiostat.cell_not_opened' })
    expect(observation.cellOffVerified).toBe(false)
  })
})

test('a queue that overflows fails the measurement with the number lost; rows before the gap are kept', async () => {
  device = await startDevice()
  const raw = { potential: 0.3, duration: 3 }
  let halted = false
  const { error, observation, current } = await runMode(await openSocket(device.path), 'CA', raw, {
    onRow: () => {
      if (!halted) device.halt(1000)
      halted = true
    },
  })
  expect(error).toMatchObject({ code: 'potentiostat.samples_lost' })
  expect(observation.lostSamples).toBeGreaterThan(0)
  expect(current.length).toBeGreaterThan(0)
  expect(current.length).toBeLessThan(planOf('CA', raw).samples)
  expect(device.device.cellSwitchClosed).toBe(false)
})

test('aborting opens the cell and keeps the rows', async () => {
  device = await startDevice()
  const stop = new AbortController()
  const raw = { potential: 0.3, duration: 60 }
  const measured = await runMode(await openSocket(device.path), 'CA', raw, {
    stop: stop.signal,
    onRow: () => stop.abort('enough'),
  })
  expect(measured.error).toMatchObject({ code: 'potentiostat.aborted', message: 'enough' })
  expect(measured.observation.cellOffVerified).toBe(true)
  expect(measured.current.length).toBeGreaterThan(0)
  expect(device.device.cellSwitchClosed).toBe(false)
})
