import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CALIBRATION, ESTIMATOR } from '../../../../events/bioreactor/artifacts.js'
import {
  decodeArtifact,
  encodeArtifact,
  fitArtifact,
} from '../../../../services/bioreactor/calibrations/artifact.codec.js'
import { parseYaml, writeYaml } from '../../../../services/bioreactor/calibrations/artifact-yaml.codec.js'
import { FUSED_FILE, OD_FILE, OD_JSON } from '../../../support/calibration-files.js'
import { estimatorOfVial } from '../../../support/vial-lab.js'

const decodeOd = (text: string) => decodeArtifact(CALIBRATION, text)
const decodeFused = (text: string) => decodeArtifact(ESTIMATOR, text)

/** The file with a line changed; null leaves it out. */
function changed(file: string, line: string, by: string | null): string {
  expect(file).toContain(line)
  return file.replace(by === null ? `${line}\n` : line, by ?? '')
}
const od = (line: string, by: string | null): string => changed(OD_FILE, line, by)
const fused = (line: string, by: string | null): string => changed(FUSED_FILE, line, by)

const PUMP_FILE = `calibration_type: simple_peristaltic_pump
calibration_name: media-1
calibrated_on_pioreactor_unit: unit-a
created_at: 2026-03-04T05:06:07Z
curve_data_: {type: poly, coefficients: [0.0931, 0.0]}
recorded_data: {x: [8.0], y: [0.75]}
hz: 250
dc: 100.0
voltage: -1
`

describe('a calibration file', () => {
  test('is read as JSON has it, in the order of its type', () => {
    const decoded = decodeOd(OD_FILE)
    expect(decoded).toEqual(OD_JSON)
    expect(Object.keys(decoded)).toEqual(Object.keys(OD_JSON))
  })

  test('is written as a Pioreactor writes it', () => {
    expect(encodeArtifact(fitArtifact(CALIBRATION, OD_JSON) as never)).toBe(OD_FILE)
  })

  test('may lack labels, which have defaults', () => {
    expect(decodeOd(PUMP_FILE)).toMatchObject({ x: 'Duration', y: 'Volume', hz: 250, voltage: -1 })
  })

  test.each([
    ['an extra key', `${OD_FILE}colour: red\n`],
    ['an integer for a number', od('ir_led_intensity: 80.0', 'ir_led_intensity: 80')],
    ['an extra key in its curve', od('  type: spline', '  type: spline\n  colour: red')],
  ])('with %s is the same', (_, text) => {
    expect(decodeOd(text)).toEqual(OD_JSON)
  })

  test.each([
    ["ir_led_intensity: '80'", od('ir_led_intensity: 80.0', "ir_led_intensity: '80'"), 'ir_led_intensity'],
    ['an unquoted angle', od("angle: '90'", 'angle: 90'), 'angle'],
    ['an angle of 60', od("angle: '90'", "angle: '60'"), 'angle'],
    ['a channel 5', od("pd_channel: '2'", "pd_channel: '5'"), 'pd_channel'],
    ['a quoted time', od('2026-03-04 05:06:07.891000+00:00', "'2026-03-04 05:06:07.891000+00:00'"), 'without quotes'],
    ['a time without zone', od('05:06:07.891000+00:00', '05:06:07.891000'), 'time zone'],
    ['a day for a time', od('2026-03-04 05:06:07.891000+00:00', '2026-03-04'), 'time zone'],
    ['no time', od('created_at: 2026-03-04 05:06:07.891000+00:00', null), 'created_at'],
    ['lists of different length', od('  - 0.01\nir', '  - 0.01\n  - 3.0\nir'), 'same lengths'],
    ['no type', od('calibration_type: od600', null), 'calibration_type'],
    ['a curve without type', od('  type: spline', null), 'curve_data_.type'],
    ['a cubic curve', od('  type: spline', '  type: cubic'), 'curve_data_.type is "cubic"'],
    ['a bare list for a curve', PUMP_FILE.replace(/curve_data_: .*/, 'curve_data_: [1.0, 0.0]'), 'curve_data_.type'],
    ['hz of -1', PUMP_FILE.replace('hz: 250', 'hz: -1'), 'hz is -1; it must be at least 0'],
    ['no name', od('calibration_name: demo-od90', null), 'calibration_name'],
    ['a number for a name', od('calibration_name: demo-od90', 'calibration_name: 12'), 'calibration_name'],
    [
      'a date for a name',
      od('calibration_name: demo-od90', 'calibration_name: 2026-03-04'),
      'calibration_name is a date',
    ],
    ['a value that is no number', od('ir_led_intensity: 80.0', 'ir_led_intensity: .nan'), 'ir_led_intensity'],
    ['no fields', '- 1\n', 'no fields'],
    ['nothing', '', 'no fields'],
    ['no YAML', 'a: [1', 'line 1'],
    ['a tag of Python', od("angle: '90'", "angle: !!python/name:os.system '90'"), 'tag'],
    ['control characters', `${OD_FILE}# \u0001`, 'control characters'],
    [
      'a type of JavaScript',
      od('od600', 'constructor').replace('calibration_name: demo-od90\n', ''),
      'calibration_name',
    ],
    [
      'much made of little',
      OD_FILE.replace('recorded_data:', `long: &long [${'1, '.repeat(10_000)}]\nrecorded_data:`)
        .replace(/ {2}x:\n {2}- 1.0\n {2}- 0.0/, '  x: *long')
        .replace(/ {2}y:\n {2}- 0.21\n {2}- 0.01/, '  y: *long'),
      'larger than',
    ],
    ['brackets without end', '['.repeat(30_000), 'nested too deeply'],
    ['lists without end', '- '.repeat(15_000), 'nested too deeply'],
    [
      'aliases that multiply',
      `a: &a [1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n`,
      'alias',
    ],
    ['more than 40 000 bytes', `${OD_FILE}# ${'x'.repeat(40_000)}`, 'larger than 40000 bytes'],
  ])('with %s is refused, saying what', (_, text, reason) => {
    expect(() => decodeOd(text)).toThrow(reason)
  })

  test('of a type that nobody here knows is passed on with all its fields', () => {
    const text =
      'calibration_type: co2\ncalibration_name: c1\ncreated_at: 2026-03-04T05:06:07Z\nppm: [1, 2.5, {deep: true}]\n'
    const passed = {
      calibration_type: 'co2',
      calibration_name: 'c1',
      created_at: '2026-03-04T05:06:07Z',
      ppm: [1, 2.5, { deep: true }],
    }
    expect(decodeOd(text)).toEqual(passed)
    expect(() => fitArtifact(CALIBRATION, passed)).toThrow('calibration_type is "co2"; known are od, od600')
  })

  test.each([
    ['2026-02-18T00:00:00Z', '2026-02-18T00:00:00Z'],
    ['2026-02-18 01:00:00.5+02:00', '2026-02-17T23:00:00.500000Z'],
    ['2026-02-18t1:00:00 -3', '2026-02-18T04:00:00Z'],
    ['2026-02-18T01:00:00.123456789Z', '2026-02-18T01:00:00.123456Z'],
  ])('made at %s was made at %s', (written, utc) => {
    expect(decodeOd(od('2026-03-04 05:06:07.891000+00:00', written))['created_at']).toBe(utc)
  })
})

describe('an estimator file', () => {
  test('is read with its curves', () => {
    expect(decodeFused(FUSED_FILE)).toMatchObject({
      created_at: '2026-03-04T05:06:07Z',
      mu_splines: { '45': { type: 'akima', knots: [-2, 0] } },
      recorded_data: { by_angle: { '45': { x: [1], y: [2] } } },
    })
  })

  test('may lack the scales, the type of its curves and its own', () => {
    expect(decodeFused(fused("low_conc_scales: {'45': 1.5}", null))['low_conc_scales']).toEqual({})
    expect(decodeFused(FUSED_FILE.replaceAll('    type: akima\n', ''))).toEqual(decodeFused(FUSED_FILE))
    expect(decodeFused(fused('estimator_type: od_fused_estimator', null))).toEqual(decodeFused(FUSED_FILE))
  })

  test.each([
    ['an unquoted angle', FUSED_FILE.replace("  '45':", '  45:'), '45 must stand in quotes'],
    ['a spline', FUSED_FILE.replace('type: akima', 'type: spline'), 'mu_splines'],
  ])('with %s is refused', (_, text, reason) => {
    expect(() => decodeFused(text)).toThrow(reason)
  })

  test('of an unknown type cannot be stored', () => {
    expect(() => fitArtifact(ESTIMATOR, { ...decodeFused(FUSED_FILE), estimator_type: 'foo' })).toThrow('"foo"')
  })

  test('written and read is the same', () => {
    const estimator = estimatorOfVial()
    expect(decodeFused(encodeArtifact(estimator))).toEqual(estimator)
  })

  test('of the infrared thermometer has its defaults', () => {
    const text = `estimator_type: fir_temperature_estimator
estimator_name: seed
calibrated_on_pioreactor_unit: seed
created_at: 2026-02-18T00:00:00Z
w_obj: 0.986277
w_amb: -0.126407
w_pcb: 0.088753
c: 1.083602
tau_s: 120.0
`
    const defaults = { k_vol: 0, volume_ref_ml: 25, user_bias_c: 0, y: 'temperature_c' }
    expect(decodeFused(text)).toMatchObject(defaults)
    expect(() => decodeFused(text.replace('120.0', '0'))).toThrow('tau_s is 0; it must be above 0')
  })
})

const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.string(),
    fc.boolean(),
    fc.constant(null),
    fc.constantFrom('90', '2026-01-02', 'no', '1:30', '~', '1e5', '=', '0x1f', '.inf', '1_000'),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.string(), tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value

test('any values written are read again, text as text and numbers as numbers', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), json, { noNullPrototype: true }), (value) => {
      const text = writeYaml(value)
      expect(plain(parseYaml(text))).toEqual(value)
    }),
  )
})

test.each([
  [80, '80.0'],
  [1e-7, '1.0e-7'],
  [-2.5e30, '-2.5e+30'],
  [0.1, '0.1'],
])('the number %s is written %s, which no reader takes for an integer or for text', (value, text) => {
  expect(writeYaml({ a: value })).toBe(`a: ${text}\n`)
})

function plain(value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]))
  return Array.isArray(value) ? value.map(plain) : value
}
