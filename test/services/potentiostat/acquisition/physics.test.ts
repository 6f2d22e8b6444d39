import { afterEach, describe, expect, test } from 'vitest'
import type { CellFactory } from '../../../../simulation/potentiostat/cell.js'
import { ferricyanide, RandlesCell } from '../../../../simulation/potentiostat/randles-cell.js'
import { openPort } from '../../../support/serial-hardware.js'
import { type Measured, type PtyDevice, runMode, startPtyDevice, withoutPty } from '../virtual-devices.js'

let device: PtyDevice
afterEach(() => device?.dispose())

async function measured(mode: string, raw: Record<string, unknown>, cell?: CellFactory): Promise<Measured> {
  device = await startPtyDevice(cell === undefined ? {} : { cell })
  const result = await runMode(await openPort(device.link), mode, raw)
  expect(result.error).toBeNull()
  return result
}

/** The textbook electrode: all reduced, fast kinetics, no resistance, no double layer. */
const ideal: CellFactory = (stepS) =>
  new RandlesCell(stepS, { oxidisedFraction: 0, rate: 1, solutionOhm: 1e-6, doubleLayerF: 1e-15 })
const { areaCm2, concentration, diffusivity } = ferricyanide

/** Running average over 100 readings, two per sample. */
const FILTER_DELAY_S = 100 * 0.00018

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

describe.skipIf(withoutPty)('the ideal electrode', () => {
  test('peaks as Randles and Ševčík say', async () => {
    const scanRate = 0.2
    const raw = { start: 0, vertex1: 0.4, vertex2: 0, end: 0, scan_rate: scanRate, cycles: 1 }
    const { current } = await measured('CV', raw, ideal)
    const expected = 2.69e5 * areaCm2 * Math.sqrt(diffusivity * scanRate) * concentration
    expect(Math.abs(Math.max(...current) / expected - 1)).toBeLessThan(0.02)
  })

  test('decays after a step as Cottrell says', async () => {
    const { current } = await measured('CA', { potential: 0.8, duration: 1.05 }, ideal)
    const cottrell = (t: number): number => 96485.33212 * areaCm2 * concentration * Math.sqrt(diffusivity / Math.PI / t)
    const ratio = (t: number, delay: number): number => (current[Math.round(t / 0.00036)] ?? 0) / cottrell(t - delay)
    for (const t of [0.2, 0.5, 1]) expect(Math.abs(ratio(t, FILTER_DELAY_S) - 1)).toBeLessThan(0.01)
    // After a second the delay no longer matters.
    expect(Math.abs(ratio(1, 0) - 1)).toBeLessThan(0.01)
  })
})

describe.skipIf(withoutPty)('the default cell', () => {
  test('rests at 0.22 V', async () => {
    const { potential } = await measured('OCP', { duration: 0.5 })
    expect(Math.abs(mean(potential.slice(-500)) - 0.22)).toBeLessThan(0.001)
  })

  test.each([
    [100, 221, -41],
    [10, 296, -106],
    [1, 521, -329],
  ])('has its analytic impedance at %d Hz', async (hz, real, imaginary) => {
    const raw = { start_freq: hz, end_freq: hz, points_per_decade: 1, amplitude: 0.02, dc_potential: 'ocp' }
    const { impedance } = await measured('EIS', raw)
    const row = impedance[0]
    const error = Math.hypot((row?.real ?? 0) - real, (row?.imaginary ?? 0) - imaginary)
    expect(error / Math.hypot(real, imaginary)).toBeLessThan(0.02)
  })
})
