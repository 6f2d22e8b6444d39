import { defineMode } from '../../../events/define-mode.js'
import type { MeasurementPlan } from '../acquisition/plan.js'
import { hold, pointsIn, type Segment } from '../acquisition/waveform.js'
import { capacitanceEvaluation } from '../evaluation/capacitance.js'
import { type Triangle, trianglePoints, triangleSegments } from './cv.js'
import { columns, potential, scanRates, totalDuration } from './declare.js'

/** Cycles per scan rate; the second one is evaluated. */
const CYCLES = 2

/** Double-layer capacitance: two cycles per scan rate, then a rest. Source: pyBEEP `cdl`. */
export const cdl = defineMode(
  {
    mode: 'CDL',
    control: 'potentiostatic',
    doc: 'Double-layer capacitance: two cycles of a triangle at each of several scan rates.',
    parameters: {
      vertex_a: { ...potential('Vertex each block starts and ends at.'), aliases: ['vertex_a_v'] },
      vertex_b: { ...potential('The other vertex.'), aliases: ['vertex_b_v'] },
      scan_rates: scanRates('Slopes, one block each.'),
      rest_time: {
        type: 'number',
        unit: 's',
        doc: 'Rest at the start potential after each block.',
        default: 0,
        min: 0,
      },
      start: { ...potential('Potential a block starts at; vertex_a when absent.'), default: null },
      end: { ...potential('Potential a block ends at; vertex_a when absent.'), default: null },
    },
    rules: [
      { kind: 'default_from', field: 'start', from: 'vertex_a' },
      { kind: 'default_from', field: 'end', from: 'vertex_a' },
      { kind: 'not_all_equal', fields: ['vertex_a', 'vertex_b'], field: 'vertex_b', severity: 'error' },
      {
        kind: 'distinct_values',
        field: 'scan_rates',
        atLeast: 2,
        text: 'the capacitance gets no coefficient of determination.',
      },
      totalDuration('rest_time', { kind: 'product', factors: ['rest_time', 'scan_rates'] }),
      totalDuration('scan_rates', {
        kind: 'sweep',
        path: ['start', 'vertex_b', 'vertex_a', 'vertex_b', 'vertex_a', 'end'],
        rate: 'scan_rates',
      }),
    ],
    columns: columns('V', 'cycle'),
    plot: 'iv',
  },
  ({ vertex_a, vertex_b, scan_rates, rest_time, start, end }): MeasurementPlan => {
    const ends = { start: start ?? vertex_a, end: end ?? vertex_a }
    const triangles = scan_rates.map(
      (scanRate): Triangle => ({ ...ends, vertex1: vertex_b, vertex2: vertex_a, scanRate, cycles: CYCLES }),
    )
    const rest = pointsIn(rest_time)
    function* segments(): Generator<Segment> {
      for (const [index, triangle] of triangles.entries()) {
        const firstCycle = 1 + CYCLES * index
        yield* triangleSegments(triangle, firstCycle)
        yield hold(ends.start, rest, { cycle: firstCycle + CYCLES - 1 })
      }
    }
    return {
      control: 'potentiostatic',
      samples: triangles.reduce((sum, triangle) => sum + trianglePoints(triangle) + rest, 0),
      segments,
      evaluate: () => capacitanceEvaluation({ vertexA: vertex_a, vertexB: vertex_b, scanRates: scan_rates }),
    }
  },
)
