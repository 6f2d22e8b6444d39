import { defineMode } from '../../../events/define-mode.js'
import type { MeasurementPlan } from '../acquisition/plan.js'
import { type Segment, sweep } from '../acquisition/waveform.js'
import { columns, cycles, potential, scanRate, totalDuration } from './declare.js'

/** A triangle between two vertices. */
export interface Triangle {
  readonly start: number
  readonly vertex1: number
  readonly vertex2: number
  readonly end: number
  readonly scanRate: number
  readonly cycles: number
}

/** Ramps of a cyclic voltammogram: start → vertex 1 → vertex 2, then for each further cycle there and back, at last to the end if that
 * is not vertex 2, labelled as part of the last cycle. Source: pyBEEP `cyclic_voltammetry`. */
export function* triangleSegments(triangle: Triangle, firstCycle = 1): Generator<Segment> {
  const { start, vertex1, vertex2, end, scanRate } = triangle
  for (let index = 0; index < Math.max(1, triangle.cycles); index++) {
    const cycle = firstCycle + index
    yield sweep(index === 0 ? start : vertex2, vertex1, scanRate, cycle)
    yield sweep(vertex1, vertex2, scanRate, cycle)
  }
  if (end !== vertex2) yield sweep(vertex2, end, scanRate, firstCycle + Math.max(1, triangle.cycles) - 1)
}

/** Exact number of points of the ramps. */
export function trianglePoints({ start, vertex1, vertex2, end, scanRate, cycles }: Triangle): number {
  const points = (from: number, to: number): number => sweep(from, to, scanRate).points
  const further = Math.max(0, cycles - 1) * (points(vertex2, vertex1) + points(vertex1, vertex2))
  return points(start, vertex1) + points(vertex1, vertex2) + further + (end === vertex2 ? 0 : points(vertex2, end))
}

/** Cyclic voltammetry. */
export const cv = defineMode(
  {
    mode: 'CV',
    control: 'potentiostatic',
    doc: 'Cyclic voltammetry: ramps between two vertex potentials.',
    parameters: {
      start: potential('Potential at the start.'),
      vertex1: potential('First vertex.'),
      vertex2: potential('Second vertex.'),
      end: potential('Potential at the end.'),
      scan_rate: scanRate('Slope of the ramps.'),
      cycles: cycles('How many times vertex 1 is visited.'),
    },
    rules: [
      { kind: 'not_all_equal', fields: ['start', 'vertex1', 'vertex2', 'end'], field: 'end', severity: 'error' },
      {
        kind: 'not_all_equal',
        fields: ['vertex1', 'vertex2'],
        field: 'vertex2',
        severity: 'warning',
        whenAbove: { field: 'cycles', limit: 1 },
      },
      totalDuration('scan_rate', {
        kind: 'sweep',
        path: ['start', 'vertex1', 'vertex2', 'end'],
        rate: 'scan_rate',
        between: ['vertex1', 'vertex2'],
        cycles: 'cycles',
      }),
    ],
    columns: columns('V', 'cycle'),
    plot: 'iv_cycles',
  },
  ({ scan_rate, ...vertices }): MeasurementPlan => {
    const triangle = { ...vertices, scanRate: scan_rate }
    return {
      control: 'potentiostatic',
      samples: trianglePoints(triangle),
      segments: () => triangleSegments(triangle),
    }
  },
)
