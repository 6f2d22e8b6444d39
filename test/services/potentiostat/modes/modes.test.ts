import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ParameterValues } from '../../../../events/define-mode.js'
import { parameterTypeText, validateParameters } from '../../../../events/validate-mode.js'
import { type MeasurementPlan, plannedSeconds, rowsOf } from '../../../../services/potentiostat/acquisition/plan.js'
import { pointsIn, WaveformCursor } from '../../../../services/potentiostat/acquisition/waveform.js'
import { frequencyGrid } from '../../../../services/potentiostat/modes/eis.js'
import { findMode, modes } from '../../../../services/potentiostat/modes/index.js'

const planOf = (mode: string, raw: Record<string, unknown>): MeasurementPlan => {
  const found = findMode(mode)
  if (found === undefined) throw new Error(`no mode ${mode}`)
  const validated = validateParameters(found.declaration, raw)
  expect(validated.errors).toEqual([])
  return found.plan(validated.params)
}

interface Points {
  readonly values: readonly number[]
  readonly labels: ReadonlyMap<number, number>
}

/** The whole waveform, read in pieces of an odd size, with how often each label occurs. */
const pointsOf = (plan: MeasurementPlan, label: 'cycle' | 'step' = 'cycle'): Points => {
  if (plan.control !== 'potentiostatic' && plan.control !== 'galvanostatic') throw new Error('no waveform')
  const cursor = new WaveformCursor(plan.segments())
  const values: number[] = []
  const labels = new Map<number, number>()
  while (!cursor.done) {
    const chunk = cursor.take(997)
    values.push(...chunk.values)
    for (const value of chunk[label] ?? []) labels.set(value, (labels.get(value) ?? 0) + 1)
  }
  return { values, labels }
}

describe('time to points', () => {
  test.each([
    [0.05, 138],
    [0.1, 277],
    [0.36, 999],
    [0.5, 1388],
    [1, 2777],
    [2, 5555],
    [5, 13_888],
    [10, 27_777],
    [60, 166_666],
    [3600, 10_000_000],
  ])('%d s are %d points', (seconds, points) => expect(pointsIn(seconds)).toBe(points))
})

describe('potentiostatic waveforms', () => {
  test('a linear sweep includes both ends and is float32', () => {
    const { values } = pointsOf(planOf('LSV', { start: 0, end: 0.5, scan_rate: 0.5 }))
    expect(values).toHaveLength(2777)
    expect(values.slice(0, 3)).toEqual([0, 0.00018011526844929904, 0.0003602305368985981])
    expect(values.slice(-2)).toEqual([0.49981987476348877, 0.5])
  })

  test('a chronoamperogram with a frequency alternates between its potential and the negative, without drifting', () => {
    const { values } = pointsOf(planOf('CA', { potential: 0.25, duration: 3, frequency_hz: '7' }))
    expect(values).toHaveLength(8333)
    expect(new Set(values)).toEqual(new Set([0.25, -0.25]))
    const changes = values.flatMap((value, at) => (at > 0 && value !== values[at - 1] ? [at] : []))
    expect(changes).toEqual(Array.from({ length: 41 }, (_, half) => Math.round((half + 1) / (14 * 0.00036))))
  })

  test('a chronoamperogram at half the sample rate changes its sign with every sample', () => {
    const { values } = pointsOf(planOf('CA', { potential: 0.1, duration: 0.1, frequency: 1388 }))
    expect(values.slice(0, 4).map(Math.sign)).toEqual([1, -1, 1, -1])
    expect(values).toHaveLength(277)
  })

  test('a voltammogram labels its return to the end as part of the last cycle', () => {
    const plan = planOf('CV', { start: 0, vertex1: 0.6, vertex2: -0.2, end: 0, scan_rate: 1, cycles: 2 })
    const { values, labels } = pointsOf(plan)
    expect(plan.samples).toBe(8887)
    expect(values).toHaveLength(8887)
    expect([...labels]).toEqual([
      [1, 3888],
      [2, 4999],
    ])
  })

  test("the box API's example voltammogram has 333 329 points", () => {
    const plan = planOf('CV', { start: 0, vertex1: 0.5, vertex2: -0.5, end: 0, scan_rate: 0.05, cycles: 3 })
    expect(plan.samples).toBe(333_329)
    expect([...pointsOf(plan).labels.values()]).toEqual([83_332, 111_110, 138_887])
  })

  test('a voltammogram that ends at vertex 2 has no last ramp', () => {
    const plan = planOf('CV', { start: 0, vertex1: 0.5, vertex2: -0.5, end: -0.5, scan_rate: 0.05, cycles: 1 })
    expect(plan.samples).toBe(83_332)
  })

  test('steps are labelled from 0', () => {
    const { values, labels } = pointsOf(planOf('PSTEP', { potentials: [0.1, -0.2], step_duration: 0.1 }), 'step')
    expect(values[276]).toBe(Math.fround(0.1))
    expect(values[277]).toBe(Math.fround(-0.2))
    expect([...labels]).toEqual([
      [0, 277],
      [1, 277],
    ])
  })

  test('capacitance blocks count their cycles on and rest under the last label', () => {
    const plan = planOf('CDL', { vertex_a: 0, vertex_b: 0.1, scan_rates: [1, 0.5], rest_time: 0.1 })
    const ramp = [pointsIn(0.1), pointsIn(0.2)] as const
    const { labels } = pointsOf(plan)
    expect([...labels]).toEqual([
      [1, 2 * ramp[0]],
      [2, 2 * ramp[0] + 277],
      [3, 2 * ramp[1]],
      [4, 2 * ramp[1] + 277],
    ])
    expect(plan.samples).toBe([...labels.values()].reduce((a, b) => a + b))
  })
})

describe('galvanostatic waveforms', () => {
  const cycling = { start: 0, vertex1: 1e-5, vertex2: -1e-5, num_steps: 3, step_duration: 0.1 }

  test('a cycle has three staircases', () => {
    const plan = planOf('GCV', { ...cycling, end: 0, cycles: 1 })
    expect(plan.samples).toBe(2493)
    const steps = pointsOf(plan).values.filter((_, index) => index % 277 === 0)
    expect(steps).toEqual([0, 5e-6, 1e-5, 1e-5, 0, -1e-5, -1e-5, -5e-6, 0].map(Math.fround))
  })

  test('another end adds a staircase with a label of its own', () => {
    const plan = planOf('GCV', { ...cycling, end: 5e-6, cycles: 2 })
    expect([...pointsOf(plan).labels]).toEqual([
      [1, 2493],
      [2, 2493],
      [3, 831],
    ])
  })

  test('an absent end is the start', () => expect(planOf('GCV', { ...cycling, cycles: 1 }).samples).toBe(2493))

  test('one step of a staircase is its start', () => {
    const { values } = pointsOf(planOf('GS', { start: 1e-6, end: 2e-6, num_steps: 1, step_duration: 0.1 }))
    expect(new Set(values)).toEqual(new Set([Math.fround(1e-6)]))
  })
})

test('the points of every waveform add up to the announced samples', () => {
  const potential = fc.double({ min: -1, max: 1, noNaN: true }).map((v) => Math.round(v * 100) / 100)
  const cycles = fc.integer({ min: 1, max: 3 })
  fc.assert(
    fc.property(potential, potential, potential, potential, cycles, (start, vertex1, vertex2, end, n) => {
      const mode = findMode('CV')
      const params: ParameterValues = { start, vertex1, vertex2, end, scan_rate: 2, cycles: n }
      const plan = mode?.plan(params)
      if (plan?.control !== 'potentiostatic') throw new Error('wrong plan')
      let points = 0
      for (const segment of plan.segments()) points += segment.points
      expect(points).toBe(plan.samples)
    }),
    { numRuns: 50 },
  )
})

test('a waveform read in any pieces is the same waveform', () => {
  const plan = planOf('CV', { start: 0, vertex1: 0.05, vertex2: -0.03, end: 0, scan_rate: 1, cycles: 2 })
  if (plan.control !== 'potentiostatic') throw new Error('wrong plan')
  const whole = new WaveformCursor(plan.segments()).take(plan.samples).values
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 }), (sizes) => {
      const cursor = new WaveformCursor(plan.segments())
      const read: number[] = []
      for (const size of sizes) read.push(...cursor.take(size).values)
      expect(read).toEqual([...whole.subarray(0, read.length)])
    }),
    { numRuns: 30 },
  )
})

describe('impedance', () => {
  test('the grid is logarithmic or linear, and one point when both ends are equal', () => {
    expect(frequencyGrid(1000, 1, 10, 'log')).toHaveLength(31)
    expect(frequencyGrid(1000, 1, 10, 'log').at(-1)).toBe(1)
    expect(frequencyGrid(10, 1, 2, 'lin')).toEqual([10, 5.5, 1])
    expect(frequencyGrid(5, 5, 10, 'log')).toEqual([5])
  })

  test("the contract's example gives 31 rows, settles before each frequency and measures whole periods", () => {
    const plan = planOf('EIS', {
      start_freq: 1000,
      end_freq: 1,
      points_per_decade: 10,
      cycles_per_freq: 3,
      spacing: 'log',
    })
    if (plan.control !== 'impedance') throw new Error('wrong plan')
    expect(rowsOf(plan, 1)).toBe(31)
    for (const point of plan.frequencies) {
      expect(point.settle).toBeGreaterThanOrEqual(277)
      expect(point.points).toBeGreaterThan(2 * point.cycles)
    }
    expect(plan.frequencies.at(-1)).toEqual({ cycles: 3, points: 8333, settle: 5556 })
  })
})

test('planned seconds and rows follow from the exact sample count', () => {
  const plan = planOf('CA', { potential: 0, duration: 1 })
  expect(plannedSeconds(plan)).toBeCloseTo(2777 * 0.00036 + 0.1)
  expect(rowsOf(plan, 139)).toBe(20)
})

describe('declarations', () => {
  test('modes are listed in the order of the box API', () => {
    expect(modes.map(({ declaration }) => declaration.mode)).toEqual(
      'CA LSV CV PSTEP CP GS GCV STEPSEQ OCP CDL EIS'.split(' '),
    )
  })

  test('declarations survive serialisation, because the gateway works from the text', () => {
    for (const { declaration } of modes) expect(JSON.parse(JSON.stringify(declaration))).toEqual(declaration)
  })

  test.each([
    ['CA', 'Time (s),Potential (V),Current (A),Exp,Applied potential (V)'],
    ['LSV', 'Time (s),Potential (V),Current (A),Exp,Applied potential (V)'],
    ['CV', 'Time (s),Potential (V),Current (A),Cycle,Exp,Applied potential (V)'],
    ['CDL', 'Time (s),Potential (V),Current (A),Cycle,Exp,Applied potential (V)'],
    ['PSTEP', 'Time (s),Potential (V),Current (A),Step,Exp,Applied potential (V)'],
    ['CP', 'Time (s),Potential (V),Current (A),Exp,Applied current (A)'],
    ['GS', 'Time (s),Potential (V),Current (A),Exp,Applied current (A)'],
    ['STEPSEQ', 'Time (s),Potential (V),Current (A),Exp,Applied current (A)'],
    ['GCV', 'Time (s),Potential (V),Current (A),Cycle,Exp,Applied current (A)'],
    ['OCP', 'Time (s),Potential (V),Current (A),Exp'],
    ['EIS', 'Time (s),Potential (V),Current (A),Exp,Frequency (Hz),Z Real,Z Imaginary,Z Magnitude,Phase (deg)'],
  ])('%s has the columns %s, ours behind them', (mode, header) => {
    const ours = header.includes('Applied current') ? 'Saturated,Off set point' : 'Saturated'
    expect(
      findMode(mode)
        ?.declaration.columns.map((column) => column.header)
        .join(),
    ).toBe(`${header},${ours}`)
  })

  const float = "<class 'float'>"
  const int = "<class 'int'>"
  const optional = 'typing.Optional[float]'
  const limits = { potential_min: optional, potential_max: optional, voltage_cutoff: float }
  test.each([
    // All but the first two are ours.
    [
      'CA',
      {
        ...{ potential: float, duration: float, frequency: float, control_mode: "<class 'str'>" },
        ...{ current_ma: float, charge_cutoff: float, voltage_cutoff: float },
      },
    ],
    ['LSV', { start: float, end: float, scan_rate: float }],
    ['CV', { start: float, vertex1: float, vertex2: float, end: float, scan_rate: float, cycles: int }],
    ['PSTEP', { potentials: 'typing.List[float]', step_duration: float }],
    ['CP', { current: float, duration: float, ...limits }],
    ['GS', { start: float, end: float, num_steps: int, step_duration: float, ...limits }],
    [
      'GCV',
      {
        ...{ start: float, vertex1: float, vertex2: float, end: float },
        ...{ num_steps: int, step_duration: float, cycles: int, ...limits },
      },
    ],
    ['STEPSEQ', { currents: 'typing.List[float]', step_duration: float, ...limits }],
    ['OCP', { duration: float }],
    [
      'CDL',
      {
        vertex_a: float,
        vertex_b: float,
        scan_rates: 'typing.List[float]',
        rest_time: float,
        start: 'typing.Optional[float]',
        end: 'typing.Optional[float]',
      },
    ],
  ])('%s spells its parameter types as pyBEEP does', (mode, expected) => {
    const parameters = findMode(mode)?.declaration.parameters ?? {}
    const texts = Object.entries(parameters).map(([name, spec]) => [name, parameterTypeText(spec)])
    expect(texts).toEqual(Object.entries(expected))
  })
})
