import { afterEach, describe, expect, test } from 'vitest'
import { SaturationDetector } from '../../../../services/potentiostat/evaluation/saturation.js'
import { ResistorCell } from '../../../../simulation/potentiostat/dummy-cells.js'
import { type Device, type Measured, openSocket, runMode, startDevice } from '../virtual-devices.js'

let device: Device | undefined
afterEach(() => device?.dispose())

async function onResistor(ohm: number, mode: string, raw: Record<string, unknown>, gain: number): Promise<Measured> {
  device = await startDevice({ cell: () => new ResistorCell(ohm) })
  return runMode(await openSocket(device.path), mode, raw, { gain })
}

const codes = ({ stats }: Measured): readonly string[] => stats.warnings.map(({ code }) => code)

describe('a current beyond the range', () => {
  test('is told with its share and the range that would hold it, and marks its samples', async () => {
    // ±5.4 µA of gain 3 are ±5.4 mV on 1 kΩ: most of this sweep is beyond.
    const raw = { start: 0, end: 0.1, scan_rate: 0.1 }
    const measured = await onResistor(1000, 'LSV', raw, 3)
    expect(measured.error).toBeNull()
    expect(codes(measured)).toEqual(['current_saturated'])
    const [{ message = '' } = {}] = measured.stats.warnings
    expect(message).toMatch(/±5\.445 µA\) in \d+ of 2777 samples \(9\d(\.\d)? %\)/)
    expect(message).toContain('tia_gain 2 (±50 µA)')
    const marked = measured.saturated.findIndex((bits) => bits !== 0)
    // The step of the DAC above 5.3 mV comes after 48 ms, and shows 18 ms later.
    expect(marked).toBeGreaterThan(0.048 / 0.00036)
    expect(marked).toBeLessThan(0.09 / 0.00036)
    expect(measured.saturated.slice(marked + 100).every((bits) => bits === 1)).toBe(true)
  })

  test('that swings back before a reading shows it is found behind the running average', async () => {
    // ±50 µA at 250 Hz: the average over 18 ms never leaves a few percent of the range.
    const measured = await onResistor(1000, 'CA', { potential: 0.05, duration: 0.5, frequency: 250 }, 3)
    expect(Math.max(...measured.current.map(Math.abs))).toBeLessThan(0.5 * 5.445e-6)
    expect(codes(measured)).toEqual(['current_saturated'])
    expect(measured.stats.saturatedSamples).toBeGreaterThan(1300)
  })

  test('inside the range nothing is marked', async () => {
    const measured = await onResistor(1000, 'CA', { potential: 0.47, duration: 0.5, frequency: 20 }, 1)
    expect(codes(measured)).toEqual([])
    expect(measured.stats.saturatedSamples).toBe(0)
  })
})

describe('a clipped spectrum', () => {
  const raw = { start_freq: 100, end_freq: 10, points_per_decade: 2, amplitude: 0.05 }

  test('has no impedance, and the mode fails with the reason', async () => {
    const measured = await onResistor(210, 'EIS', raw, 3)
    expect(measured.impedance.map(({ real, imaginary }) => [real, imaginary])).toEqual(Array(3).fill([null, null]))
    expect(measured.error).toMatchObject({ code: 'potentiostat.nothing_evaluated' })
    expect(codes(measured)).toEqual(['current_saturated', 'not_evaluated'])
    expect(measured.stats.report(0, 3, 0)).toMatchObject({ no_result: true })
  })

  test('in a range that holds it the same cell has its resistance', async () => {
    const measured = await onResistor(210, 'EIS', raw, 0)
    expect(measured.error).toBeNull()
    expect(codes(measured)).toEqual([])
    for (const { real } of measured.impedance) expect(Math.abs((real ?? 0) / 210 - 1)).toBeLessThan(0.02)
  })
})

test('a capacitance is not computed from clipped currents', async () => {
  const measured = await onResistor(1000, 'CDL', { vertex_a: 0, vertex_b: 0.1, scan_rates: [1, 2] }, 3)
  expect(measured.stats.evaluation).toBeNull()
  expect(measured.error).toMatchObject({ code: 'potentiostat.nothing_evaluated' })
  expect(codes(measured)).toEqual(['current_saturated', 'not_evaluated'])
})

test('a fit that explains little is told', async () => {
  // A resistor has no capacitive current: what is fitted is noise.
  const measured = await onResistor(1e6, 'CDL', { vertex_a: 0, vertex_b: 0.1, scan_rates: [0.5, 1, 2] }, 1)
  expect(codes(measured)).toEqual(['poor_fit'])
})

test('readings that follow each other are not mistaken for clipped ones by their noise', () => {
  const detector = new SaturationDetector(909_090.9091, 100)
  const current = Float32Array.from({ length: 2000 }, (_, k) => 5.2e-6 + 1e-10 * Math.sin(k * 12.9898))
  expect(detector.mark(current, new Float32Array(2000)) === null).toBe(true)
})
