import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ModeDeclaration, ValidatedParameters } from '../../events/define-mode.js'
import { validateParameters } from '../../events/validate-mode.js'
import { findMode, modes } from '../../services/potentiostat/modes/index.js'

/** As the gateway does it: from the announced text. */
const validate = (mode: string, raw: Record<string, unknown>, tiaGain?: number): ValidatedParameters => {
  const declaration = JSON.parse(JSON.stringify(findMode(mode)?.declaration)) as ModeDeclaration
  return validateParameters(declaration, raw, tiaGain === undefined ? {} : { tiaGain })
}
const codes = (issues: ValidatedParameters['errors']): string[] => issues.map(({ field, code }) => `${field} ${code}`)

const cv = { start: 0, vertex1: 0.5, vertex2: -0.5, end: 0, scan_rate: 0.05, cycles: 3 }

describe('values', () => {
  test('numbers of a form arrive as text and are read', () => {
    const raw = { start: '0', vertex1: ' 0.3 ', vertex2: '-3e-1', end: 0, scan_rate: '1.0', cycles: '1.0' }
    const { ok, params, adjustments } = validate('CV', raw)
    expect(ok).toBe(true)
    expect(params).toEqual({ start: 0, vertex1: 0.3, vertex2: -0.3, end: 0, scan_rate: 1, cycles: 1 })
    expect(adjustments.map(({ field, from, to }) => [field, from, to])).toContainEqual(['vertex2', '-3e-1', -0.3])
  })

  test.each([null, undefined, '', '   '])('%j is missing', (empty) => {
    expect(codes(validate('CV', { ...cv, start: empty }).errors)).toEqual(['start missing_field'])
  })

  test.each([true, false, 'abc', 'nan', 'inf', '1_000', Number.NaN, Number.POSITIVE_INFINITY, '1e999', {}, [1]])(
    '%j is not a number',
    (value) => {
      expect(codes(validate('CV', { ...cv, start: value }).errors)).toEqual(['start not_a_number'])
    },
  )

  test.each([2.5, '51.9', true, 'many', Number.NaN])('%j is not an integer', (value) => {
    expect(codes(validate('CV', { ...cv, cycles: value }).errors)).toEqual(['cycles not_an_integer'])
  })

  test('messages name field, value, limit and unit', () => {
    const { errors } = validate('CV', { ...cv, start: 12, scan_rate: 0 })
    expect(errors).toEqual([
      { field: 'start', code: 'max_value', message: 'start is 12 V; it must be at most 10 V.' },
      { field: 'scan_rate', code: 'must_be_positive', message: 'scan_rate is 0 V/s; it must be above 0 V/s.' },
    ])
  })

  test('a potential beyond the DAC is a warning, not a silent clamp', () => {
    const { ok, warnings, params } = validate('CA', { potential: -6, duration: 1 })
    expect(ok).toBe(true)
    expect(codes(warnings)).toEqual(['potential clamped'])
    expect(params['potential']).toBe(-6)
  })

  test('an alternating electrolysis as SEVA orders it is a chronoamperogram with a frequency', () => {
    const raw = { duration_s: '1', frequency_hz: '2', voltage_v: '0.3', current_ma: null, control_mode: 'potential' }
    const { ok, params, warnings } = validate('CA', { ...raw, charge_cutoff_c: null, voltage_cutoff_v: '' })
    expect({ ok, params, warnings }).toEqual({
      ok: true,
      params: {
        ...{ potential: 0.3, duration: 1, frequency: 2, control_mode: 'potential' },
        ...{ current_ma: 0, charge_cutoff: 0, voltage_cutoff: 0 },
      },
      warnings: [],
    })
  })

  test('an electrolysis by current needs its current, in mA and within the range of the gain', () => {
    const raw = { duration_s: 1, voltage_v: 0.3, control_mode: 'Current', charge_cutoff_c: '5', voltage_cutoff_v: 1 }
    expect(codes(validate('CA', raw).errors)).toEqual(['current_ma missing_field'])
    expect(validate('CA', { ...raw, current_ma: '0.2' }, 1)).toMatchObject({
      ok: true,
      params: { control_mode: 'current', current_ma: 0.2, charge_cutoff: 5, voltage_cutoff: 1 },
    })
    expect(validate('CA', { ...raw, current_ma: 0.5 }, 1).errors).toEqual([
      {
        field: 'current_ma',
        code: 'exceeds_range',
        message: 'current_ma is 0.5 mA; at gain 1 it must be within ±0.495 mA.',
      },
    ])
    expect(validate('CA', { ...raw, control_mode: 'potential', current_ma: 0.5 }, 1).ok).toBe(true)
  })

  test('the control mode may be spelt as the form of SEVA shows it', () => {
    const raw = { duration_s: '1', frequency_hz: '2', voltage_v: '0.3', current_ma: null }
    const byPotential = validate('CA', { ...raw, control_mode: 'potential (V)' })
    expect(byPotential).toMatchObject({ ok: true, params: { control_mode: 'potential', potential: 0.3 } })
    const byCurrent = validate('CA', { ...raw, voltage_v: null, current_ma: '0.1', control_mode: 'current (mA)' })
    expect(byCurrent).toMatchObject({ ok: true, params: { control_mode: 'current', current_ma: 0.1 } })
    expect(codes(validate('CA', { ...raw, control_mode: 'current (A)' }).errors)).toEqual([
      'control_mode invalid_choice',
    ])
  })

  test('issues name a field as the client called it', () => {
    const raw = { duration_s: '1', frequency_hz: '2', voltage_v: null, control_mode: 'potential' }
    expect(codes(validate('CA', raw).errors)).toEqual(['voltage_v missing_field'])
    expect(codes(validate('CA', { ...raw, voltage_v: '11' }).errors)).toEqual(['voltage_v max_value'])
    expect(codes(validate('CA', { ...raw, voltage_v: 'much' }).errors)).toEqual(['voltage_v not_a_number'])
    expect(codes(validate('CA', { ...raw, voltage_v: 0.1, duration_s: 1e6 }).errors)).toEqual(['duration_s too_long'])
    expect(codes(validate('CA', { duration: 1 }).errors)).toEqual(['potential missing_field'])
  })

  test.each([
    ['CV', { start: 0, vertex1: 0.5, vertex2: 0, end: 0, scan_rate: 1, cycles: 1 }],
    ['OCP', { duration: 1 }],
    ['EIS', { start_freq: 100, end_freq: 1, points_per_decade: 5 }],
  ])('a limit that %s would ignore is refused', (mode, raw) => {
    expect(codes(validate(mode, { ...raw, voltage_cutoff_v: 1 }).errors)).toEqual(['voltage_cutoff_v not_applicable'])
    expect(validate(mode, { ...raw, voltage_cutoff_v: null, charge_cutoff_c: '0' }).ok).toBe(true)
  })

  test.each(['CP', 'GS', 'GCV', 'STEPSEQ'])(
    '%s takes limits of the potential within what the device reaches',
    (mode) => {
      const raw = {
        CP: { current: 0, duration: 1 },
        GS: { start: 0, end: 0, num_steps: 2, step_duration: 1 },
        GCV: { start: 0, vertex1: 0, vertex2: 0, num_steps: 2, step_duration: 1, cycles: 1 },
        STEPSEQ: { currents: [0], step_duration: 1 },
      }[mode]
      const limited = { ...raw, potential_min: '-0.5', potential_max: 1.2, voltage_cutoff_v: 2 }
      expect(validate(mode, limited)).toMatchObject({
        ok: true,
        params: { potential_min: -0.5, potential_max: 1.2, voltage_cutoff: 2 },
      })
      expect(codes(validate(mode, { ...raw, potential_max: 5, voltage_cutoff: 6 }).errors)).toEqual([
        'potential_max max_value',
        'voltage_cutoff max_value',
      ])
      expect(validate(mode, { ...raw, potential_min: 1, potential_max: 0.5 }).errors).toEqual([
        {
          field: 'potential_min',
          code: 'max_value',
          message: 'potential_min is 1 V; it must be below potential_max, which is 0.5 V.',
        },
      ])
    },
  )

  test('an amplitude beyond the linear response of an electrode is warned of', () => {
    const eis = { start_freq: 100, end_freq: 1, points_per_decade: 5 }
    expect(codes(validate('EIS', { ...eis, amplitude: 0.05 }).warnings)).toEqual(['amplitude not_small_signal'])
    expect(codes(validate('EIS', { ...eis, amplitude: 0.02 }).warnings)).toEqual([])
  })

  test('elements of a list are named', () => {
    const { errors } = validate('PSTEP', { potentials: [0, 'x', 11], step_duration: 1 })
    expect(codes(errors)).toEqual(['potentials[1] not_a_number'])
    expect(codes(validate('PSTEP', { potentials: [0, '0.5', 11], step_duration: 1 }).errors)).toEqual([
      'potentials[2] max_value',
    ])
  })

  test.each([
    [0.5, 'not_a_list'],
    ['0,1', 'not_a_list'],
    [[], 'too_few_items'],
  ])('%j is refused as a list', (potentials, code) => {
    expect(codes(validate('PSTEP', { potentials, step_duration: 1 }).errors)).toEqual([`potentials ${code}`])
  })

  test('a list may have 10 000 items; a longer one is refused without looking at them', () => {
    const listOf = (length: number) =>
      validate('PSTEP', { potentials: Array(length).fill(20), step_duration: 1 }).errors
    expect(listOf(10_000)).toHaveLength(10_000)
    expect(codes(listOf(10_001))).toEqual(['potentials too_many_items'])
  })

  test('a choice is compared without case', () => {
    const eis = { start_freq: 100, end_freq: 1, points_per_decade: 5 }
    expect(validate('EIS', { ...eis, spacing: 'LOG', dc_potential: 'OCP' }).params).toMatchObject({
      spacing: 'log',
      dc_potential: 'ocp',
      cycles_per_freq: 3,
      amplitude: 0.01,
    })
    expect(codes(validate('EIS', { ...eis, spacing: 'cubic' }).errors)).toEqual(['spacing invalid_choice'])
  })
})

describe('names', () => {
  test('aliases are resolved and reported', () => {
    const { params, adjustments } = validate('CA', { duration_s: 2, voltage_v: '0.5' })
    expect(params).toMatchObject({ potential: 0.5, duration: 2 })
    expect(adjustments.map(({ field, reason }) => [field, reason])).toEqual([
      ['potential', 'given as voltage_v'],
      ['duration', 'given as duration_s'],
    ])
  })

  test('what no parameter claims is a warning', () => {
    const { ok, warnings } = validate('CA', { potential: 0, duration: 1, duration_s: 5, colour: 'red' })
    expect(ok).toBe(true)
    expect(codes(warnings)).toEqual(['duration_s unknown_field', 'colour unknown_field'])
  })

  test('issues come in order of declaration, then rules, then unknown fields', () => {
    const { errors } = validate('CV', { cycles: 0, vertex1: 'x' })
    expect(codes(errors)).toEqual([
      'start missing_field',
      'vertex1 not_a_number',
      'vertex2 missing_field',
      'end missing_field',
      'scan_rate missing_field',
      'cycles must_be_positive',
    ])
  })
})

describe('rules', () => {
  test('a voltammogram without a sweep is refused', () => {
    const flat = { ...cv, start: 0.1, vertex1: 0.1, vertex2: 0.1, end: 0.1 }
    expect(codes(validate('CV', flat).errors)).toEqual(['end zero_sweep'])
    const { ok, warnings } = validate('CV', { ...cv, vertex2: 0.5, cycles: 2 })
    expect(ok).toBe(true)
    expect(codes(warnings)).toEqual(['vertex2 zero_sweep'])
  })

  test('one scan rate gives no coefficient of determination', () => {
    const raw = { vertex_a: 0, vertex_b: 0.1, scan_rates: [0.1, 0.1], cycles: 2 }
    const { params, warnings } = validate('CDL', raw)
    expect(params).toMatchObject({ rest_time: 0, start: 0, end: 0 })
    expect(codes(warnings)).toEqual(['scan_rates too_few_items', 'cycles unknown_field'])
  })

  test('currents are compared with the range of the gain', () => {
    const raw = { currents: [1e-3, 1e-9], step_duration: 1 }
    expect(validate('STEPSEQ', raw).ok).toBe(true)
    expect(codes(validate('STEPSEQ', raw, 0).warnings)).toEqual(['currents[1] below_resolution'])
    expect(codes(validate('STEPSEQ', raw, 1).errors)).toEqual(['currents[0] exceeds_range'])
    expect(codes(validate('CP', { current: 5e-3, duration: 1 }).errors)).toEqual(['current max_value'])
  })

  test('more than a day is a warning, more than a week an error', () => {
    expect(codes(validate('CA', { potential: 0, duration: 100_000 }).warnings)).toEqual(['duration too_long'])
    expect(codes(validate('OCP', { duration: 700_000 }).errors)).toEqual(['duration too_long'])
    expect(codes(validate('CV', { ...cv, cycles: 1_000_000 }).errors)).toEqual(['scan_rate too_long'])
  })

  test('a total number of frequencies becomes a density', () => {
    const { ok, params, adjustments } = validate('EIS', { freq_start_hz: 1000, freq_end_hz: 1, points: '31' })
    expect(ok).toBe(true)
    expect(params).toMatchObject({ start_freq: 1000, end_freq: 1, points_per_decade: 10 })
    expect(adjustments).toContainEqual({
      field: 'points_per_decade',
      from: '31',
      to: 10,
      reason: 'computed from points',
    })
  })

  test.each([
    [{ duration: 1e-4 }, 'duration min_value'],
    [{ duration: -1 }, 'duration must_be_positive'],
  ])('%j is refused', (raw, issue) => expect(codes(validate('OCP', raw).errors)).toEqual([issue]))
})

test('any input yields a verdict, and an accepted one is finite and stable under a second validation', () => {
  const names = [...new Set(modes.flatMap(({ declaration }) => Object.keys(declaration.parameters)))]
  const value = fc.oneof(fc.double(), fc.integer(), fc.string(), fc.array(fc.double(), { maxLength: 4 }), fc.anything())
  const raw = fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string()), value)
  fc.assert(
    fc.property(fc.constantFrom(...modes), raw, ({ declaration }, input) => {
      const first = validateParameters(declaration, input)
      expect(first.ok).toBe(first.errors.length === 0)
      if (!first.ok) return
      for (const item of Object.values(first.params).flat()) {
        if (typeof item === 'number') expect(Number.isFinite(item)).toBe(true)
      }
      expect(validateParameters(declaration, first.params).params).toEqual(first.params)
    }),
  )
})
