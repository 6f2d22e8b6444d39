import { afterEach, describe, expect, test } from 'vitest'
import { planOrder } from '../../../../services/potentiostat/runs/run-order.js'
import type { CellFactory } from '../../../../simulation/potentiostat/cell.js'
import { ResistorCell } from '../../../../simulation/potentiostat/dummy-cells.js'
import { until } from '../../../support/until.js'
import { type Device, type Measured, openSocket, runMode, startDevice } from '../virtual-devices.js'

let device: Device
afterEach(() => device.dispose())

async function measured(mode: string, raw: Record<string, unknown>, cell?: CellFactory): Promise<Measured> {
  device = await startDevice(cell === undefined ? {} : { cell })
  const result = await runMode(await openSocket(device.path), mode, raw, { gain: 'auto' })
  expect(device.device.cellSwitchClosed).toBe(false)
  expect(result.error).toBeNull()
  return result
}
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

test.each([
  [1e3, 0],
  [1e4, 1],
  [1e5, 2],
  [1e6, 3],
  [1e7, 3],
  [1e8, 3],
  [1e9, 3],
])('a resistor of %d Ω is measured in the range that resolves it', async (ohm, gain) => {
  const { stats, current } = await measured('CA', { potential: 0.4, duration: 0.6 }, () => new ResistorCell(ohm))
  expect(stats.range).toMatchObject({ tia_gain: gain })
  expect(stats.warnings).toEqual([])
  const settled = mean(current.slice(-800))
  // One step of the most sensitive range, 166 pA, is a sixth of the last current.
  expect(Math.abs(settled * (ohm / 0.4) - 1)).toBeLessThan(ohm < 1e8 ? 0.01 : 0.05)
})

test('the probe lasts at most 50 ms, and its charge is recorded', async () => {
  const { stats } = await measured('CA', { potential: 0.5, duration: 0.2 }, () => new ResistorCell(1e4))
  const { probe } = stats.range ?? {}
  expect(probe?.duration_s).toBeLessThanOrEqual(0.05)
  expect(probe?.potential_v).toBe(0.5)
  expect(Math.abs((probe?.charge_c ?? 0) / ((0.5 / 1e4) * 0.0432) - 1)).toBeLessThan(0.03)
})

test('a sweep that starts where no current flows gets the range that cannot clip', async () => {
  const raw = { start: 0, end: 0.5, scan_rate: 1 }
  const { stats, current } = await measured('LSV', raw, () => new ResistorCell(1000))
  expect(stats.range).toMatchObject({ tia_gain: 0, expected_a: null })
  expect(stats.saturatedSamples).toBe(0)
  expect(Math.abs(Math.max(...current) / 4.9e-4 - 1)).toBeLessThan(0.05)
})

test('the sweep of the default cell is neither clipped nor lost in noise', async () => {
  const raw = { start: 0, vertex1: 0.3, vertex2: -0.3, end: 0, scan_rate: 1, cycles: 1 }
  const { stats, current } = await measured('CV', raw)
  expect(stats.saturatedSamples).toBe(0)
  expect(Math.max(...current.map(Math.abs))).toBeGreaterThan(1e-4)
})

test('a spectrum is measured in a range that holds its sines', async () => {
  const raw = { start_freq: 200, end_freq: 5, points_per_decade: 2, amplitude: 0.02 }
  const { stats, impedance } = await measured('EIS', raw, () => new ResistorCell(21_000))
  expect(stats.range).toMatchObject({ tia_gain: 3 })
  for (const { real } of impedance) expect(Math.abs((real ?? 0) / 21_000 - 1)).toBeLessThan(0.02)
})

describe('current control', () => {
  test.each([
    [1e-3, 0],
    [1e-4, 1],
    [1e-5, 2],
    [1e-6, 3],
  ])('of %d A needs no probe: the currents are known', async (current, gain) => {
    const cell = () => new ResistorCell(0.3 / current)
    const { stats } = await measured('CP', { current, duration: 0.5 }, cell)
    expect(stats.range).toEqual({ tia_gain: gain, expected_a: current, probe: null })
  })
})

test.each([{ dropEvery: 7 }, { corruptEvery: 11 }, { delayEvery: 9 }])(
  'a probe on a line that does %j finds its range',
  async (faults) => {
    device = await startDevice({ cell: () => new ResistorCell(1e5), faults })
    const raw = { potential: 0.4, duration: 0.3 }
    const { error, stats } = await runMode(await openSocket(device.path), 'CA', raw, { gain: 'auto' })
    expect(error).toBeNull()
    expect(stats.range).toMatchObject({ tia_gain: 2 })
    expect(device.device.cellSwitchClosed).toBe(false)
  },
)

test('a device whose host dies in a probe opens the cell by itself', async () => {
  device = await startDevice({ cell: () => new ResistorCell(1e5) })
  const connection = await openSocket(device.path)
  const measuring = runMode(connection, 'CA', { potential: 0.4, duration: 20 }, { gain: 'auto' })
  await until(async () => device.device.cellSwitchClosed, 'the probe')
  await connection.close()
  expect((await measuring).error).not.toBeNull()
  await until(async () => !device.device.cellSwitchClosed, 'an open cell')
  expect(device.device.running).toBe(false)
})

test.each([
  ['auto', null, 'auto'],
  ['keep', null, null],
  ['keep', 'auto', 'auto'],
  ['auto', 2, 2],
] as const)('where null means %s, a gain of %s is %s', (nullGain, asked, meant) => {
  const order = { modes: ['OCP'], params_by_mode: { OCP: { duration: 1 } }, tia_gain: asked, sampling_interval: null }
  expect(planOrder(order, nullGain).gain).toBe(meant)
})

test('an open circuit is not probed', async () => {
  const { stats } = await measured('OCP', { duration: 0.1 })
  expect(stats.range).toBeNull()
})
