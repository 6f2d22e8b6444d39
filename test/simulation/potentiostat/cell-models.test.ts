import { describe, expect, test } from 'vitest'
import type { Cell } from '../../../simulation/potentiostat/cell.js'
import { OpenLead, RcCell, ResistorCell } from '../../../simulation/potentiostat/dummy-cells.js'
import { ferricyanide, RandlesCell, type RandlesOptions } from '../../../simulation/potentiostat/randles-cell.js'
import { createRandom } from '../../../simulation/random.js'

const STEP_S = 0.00036
const allReduced = { oxidisedFraction: 0 }
/** No resistance, no double layer, fast kinetics: the textbook electrode. */
const ideal: Partial<RandlesOptions> = { ...allReduced, rate: 1, solutionOhm: 1e-6, doubleLayerF: 1e-15 }

interface Peaks {
  readonly anodicA: number
  readonly anodicV: number
  readonly cathodicV: number
}

/** Peaks of one triangle −0.1 → 0.55 → −0.1 V; below 0 V there is nothing but the charging of the double layer. */
function sweep(cell: Cell, stepS: number, scanRate: number): Peaks {
  const points = Math.round(0.65 / scanRate / stepS)
  const peaks = { anodicA: 0, anodicV: 0, cathodicA: 0, cathodicV: 0 }
  for (let k = 0; k <= 2 * points; k++) {
    const potentialV = -0.1 + (0.65 * (k <= points ? k : 2 * points - k)) / points
    cell.step(potentialV, true)
    if (k <= points && potentialV > 0 && cell.currentA > peaks.anodicA)
      Object.assign(peaks, { anodicA: cell.currentA, anodicV: potentialV })
    if (k > points && cell.currentA < peaks.cathodicA) {
      Object.assign(peaks, { cathodicA: cell.currentA, cathodicV: potentialV })
    }
  }
  return peaks
}

/** Peak current of Randles and Ševčík at 298 K for the whole couple reduced. */
const randlesSevcik = (scanRate: number): number =>
  2.69e5 * ferricyanide.areaCm2 * Math.sqrt(ferricyanide.diffusivity * scanRate) * ferricyanide.concentration

describe('ideal electrode', () => {
  test('a potential step decays as Cottrell says', () => {
    const cell = new RandlesCell(STEP_S, ideal)
    const { areaCm2, concentration, diffusivity } = ferricyanide
    const cottrell = (t: number): number => 96485.33212 * areaCm2 * concentration * Math.sqrt(diffusivity / Math.PI / t)
    const ratios: number[] = []
    for (let k = 1; k <= 2778; k++) {
      cell.step(0.8, true)
      if (k === 100 || k === 278 || k === 2778) ratios.push(cell.currentA / cottrell(k * STEP_S))
    }
    expect(Math.abs((ratios[0] ?? 0) - 1.004)).toBeLessThan(0.001)
    expect(Math.abs((ratios[1] ?? 0) - 1.001)).toBeLessThan(0.001)
    expect(Math.abs((ratios[2] ?? 0) - 1.0005)).toBeLessThan(0.001)
  })

  test('a voltammogram at 0.1 V/s peaks as Randles and Ševčík say, 58 mV apart', () => {
    const { anodicA, anodicV, cathodicV } = sweep(new RandlesCell(0.0036, ideal), 0.0036, 0.1)
    expect(Math.abs(anodicA / randlesSevcik(0.1) - 1)).toBeLessThan(0.005)
    expect(anodicV).toBeCloseTo(0.249, 2)
    expect(cathodicV).toBeCloseTo(0.191, 2)
    expect(anodicV - cathodicV).toBeCloseTo(0.058, 2)
  })

  test('a voltammogram at 1 V/s peaks as Randles and Ševčík say', () => {
    const { anodicA, anodicV, cathodicV } = sweep(new RandlesCell(STEP_S, ideal), STEP_S, 1)
    expect(Math.abs(anodicA / randlesSevcik(1) - 1)).toBeLessThan(0.005)
    expect(anodicV - cathodicV).toBeCloseTo(0.0587, 2)
  })
})

describe('default cell', () => {
  test('resistance, double layer and kinetics push the peaks apart and lower them', () => {
    const real = sweep(new RandlesCell(STEP_S, allReduced), STEP_S, 0.1)
    expect(real.anodicA).toBeCloseTo(7.42e-5, 6)
    expect(real.anodicV - real.cathodicV).toBeCloseTo(0.091, 2)
    const slow = sweep(new RandlesCell(STEP_S, { ...allReduced, rate: 0.005 }), STEP_S, 0.1)
    expect(slow.anodicA).toBeCloseTo(6.97e-5, 6)
    expect(slow.anodicV - slow.cathodicV).toBeCloseTo(0.119, 2)
  })

  test('rests at 0.22 V and stays there at open circuit', () => {
    const cell = new RandlesCell(STEP_S)
    for (let k = 0; k < 100; k++) cell.step(1, false)
    expect(cell.potentialV).toBeCloseTo(0.22, 6)
    expect(cell.currentA).toBe(0)
  })

  test('keeps its potential after current flowed, and then relaxes towards rest', () => {
    const cell = new RandlesCell(STEP_S)
    for (let k = 0; k < 2778; k++) cell.step(0.4, true)
    cell.step(0.4, false)
    const atOnce = cell.potentialV
    for (let k = 0; k < 5 * 2778; k++) cell.step(0.4, false)
    expect(atOnce).toBeGreaterThan(0.3)
    expect(cell.potentialV).toBeLessThan(0.27)
    expect(cell.potentialV).toBeGreaterThan(0.22)
  })

  test.each([
    [100, 221, -41],
    [10, 296, -106],
    [1, 521, -329],
  ])('impedance at %i Hz is %i %i j Ω', (hz, real, imaginary) => {
    const perCycle = Math.round(1 / hz / STEP_S)
    const omega = (2 * Math.PI) / perCycle
    const cell = new RandlesCell(STEP_S)
    const sums = { vRe: 0, vIm: 0, iRe: 0, iIm: 0 }
    for (let k = 0; k < 6 * perCycle; k++) {
      const potentialV = 0.22 + 0.002 * Math.sin(omega * k)
      cell.step(potentialV, true)
      if (k < 3 * perCycle) continue
      const [cos, sin] = [Math.cos(omega * k), -Math.sin(omega * k)]
      sums.vRe += potentialV * cos
      sums.vIm += potentialV * sin
      sums.iRe += cell.currentA * cos
      sums.iIm += cell.currentA * sin
    }
    const norm = sums.iRe ** 2 + sums.iIm ** 2
    const measured = {
      real: (sums.vRe * sums.iRe + sums.vIm * sums.iIm) / norm,
      imaginary: (sums.vIm * sums.iRe - sums.vRe * sums.iIm) / norm,
    }
    const error = Math.hypot(measured.real - real, measured.imaginary - imaginary) / Math.hypot(real, imaginary)
    expect(error).toBeLessThan(0.02)
  })

  test('10 µA anodic exhaust the reduced species at the surface after Sand’s 15 s', () => {
    const stepS = 0.0036
    const cell = new RandlesCell(stepS, { solutionOhm: 1e6 })
    // Through a megaohm the applied potential sets the current: the cell's own potential hardly matters.
    let transitionS = 0
    for (let k = 1; k * stepS < 20 && transitionS === 0; k++) {
      cell.step(10.22, true)
      if (cell.currentA < 9.7e-6) transitionS = k * stepS
    }
    expect(transitionS).toBeGreaterThan(14)
    expect(transitionS).toBeLessThan(17)
  })
})

describe('dummy cells', () => {
  test('1 kΩ draws 0.5 mA at 0.5 V and nothing when disconnected', () => {
    const cell = new ResistorCell(1000)
    cell.step(0.5, true)
    expect(cell.currentA).toBeCloseTo(0.5e-3, 12)
    cell.step(0.5, false)
    expect([cell.currentA, cell.potentialV]).toEqual([0, 0])
  })

  test('an RC cell charges within its time constant to the current of both resistors', () => {
    const cell = new RcCell(1e-6, { seriesOhm: 100, parallelOhm: 1000, farad: 1e-6 })
    const tauS = (1e-6 * 100 * 1000) / 1100
    for (let k = 0; k < Math.round(tauS / 1e-6); k++) cell.step(1, true)
    const final = 1 / 1100
    const first = 1 / 100
    expect(cell.currentA).toBeCloseTo(final + (first - final) / Math.E, 4)
    for (let k = 0; k < 5000; k++) cell.step(1, true)
    expect(cell.currentA).toBeCloseTo(final, 7)
    cell.step(1, false)
    expect(cell.currentA).toBe(0)
    expect(cell.potentialV).toBeCloseTo(1000 / 1100, 2)
  })

  test('an open lead carries no current and wanders by 50 µV in a second', () => {
    const random = createRandom(1)
    const squares: number[] = []
    for (let trial = 0; trial < 200; trial++) {
      const lead = new OpenLead(0.01, random)
      for (let k = 0; k < 100; k++) lead.step()
      expect(lead.currentA).toBe(0)
      squares.push(lead.potentialV ** 2)
    }
    const rms = Math.sqrt(squares.reduce((sum, value) => sum + value, 0) / squares.length)
    expect(rms).toBeGreaterThan(35e-6)
    expect(rms).toBeLessThan(65e-6)
  })
})
