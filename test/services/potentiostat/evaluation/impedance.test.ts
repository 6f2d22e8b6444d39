import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type ImpedanceRow, SpectrumAnalyser } from '../../../../services/potentiostat/evaluation/impedance.js'

interface Line {
  readonly offset: number
  readonly slope: number
}

/** Rows of a cell with this impedance at one frequency, each signal upon a straight line. */
function analysed(
  { cycles, points }: { cycles: number; points: number },
  impedance: { readonly magnitude: number; readonly phase: number },
  line: Line,
): ImpedanceRow | undefined {
  const rows: ImpedanceRow[] = []
  const analyser = new SpectrumAnalyser([{ cycles, points, settle: 2 }], (row) => rows.push(row))
  const samples = Array.from({ length: points + 2 }, (_, index) => index - 2)
  const angle = (k: number): number => (2 * Math.PI * cycles * k) / points
  const drift = (k: number): number => line.offset + (line.slope * k) / points
  analyser.add({
    first: 0,
    potential: Float32Array.from(samples, (k) => Math.sin(angle(k)) + drift(k)),
    current: Float32Array.from(samples, (k) => (Math.sin(angle(k) - impedance.phase) + drift(k)) / impedance.magnitude),
    applied: null,
    cycle: null,
    step: null,
    saturated: null,
    offTarget: null,
  })
  return rows[0]
}

const number = (min: number, max: number) => fc.double({ min, max, noNaN: true })

test('an impedance is found whatever line its signals drift along', () => {
  const window = fc
    .integer({ min: 1, max: 6 })
    .chain((cycles) => fc.record({ cycles: fc.constant(cycles), points: fc.integer({ min: 4 * cycles, max: 400 }) }))
  const impedance = fc.record({ magnitude: number(1, 1e6), phase: number(-Math.PI, Math.PI) })
  const line = fc.record({ offset: number(-10, 10), slope: number(-10, 10) })
  fc.assert(
    fc.property(window, impedance, line, (at, { magnitude, phase }, drift) => {
      const row = analysed(at, { magnitude, phase }, drift)
      expect(Math.abs((row?.real ?? 0) / magnitude - Math.cos(phase))).toBeLessThan(1e-4)
      expect(Math.abs((row?.imaginary ?? 0) / magnitude - Math.sin(phase))).toBeLessThan(1e-4)
    }),
  )
})

test('three samples of a period, the fewest there can be, are taken as they are', () => {
  const row = analysed({ cycles: 1, points: 3 }, { magnitude: 50, phase: -0.5 }, { offset: 0.1, slope: 0 })
  expect(row?.real).toBeCloseTo(50 * Math.cos(0.5), 4)
  expect(row?.imaginary).toBeCloseTo(-50 * Math.sin(0.5), 4)
})
