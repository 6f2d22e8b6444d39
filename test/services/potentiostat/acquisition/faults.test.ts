import { afterEach, expect, test } from 'vitest'
import { type Device, openSocket, planOf, runMode, startDevice } from '../virtual-devices.js'

let device: Device
afterEach(() => device.dispose())

test('a queue that overflows fails the measurement with the number lost; rows before the gap are kept', async () => {
  device = await startDevice()
  const raw = { potential: 0.3, duration: 3 }
  let halted = false
  const { error, stats, current } = await runMode(await openSocket(device.path), 'CA', raw, {
    onRow: () => {
      if (!halted) device.halt(1000)
      halted = true
    },
  })
  expect(error).toMatchObject({ code: 'potentiostat.samples_lost' })
  expect(stats.lostSamples).toBeGreaterThan(0)
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
  expect(measured.stats.cellOffVerified).toBe(true)
  expect(measured.current.length).toBeGreaterThan(0)
  expect(device.device.cellSwitchClosed).toBe(false)
})
