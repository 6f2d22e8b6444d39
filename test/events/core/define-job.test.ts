import { Type } from '@sinclair/typebox'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { MeasuredRPM } from '../../../events/bioreactor/readings.js'
import { defineJob } from '../../../events/core/define-job.js'
import { decodeValue, encodeValue } from '../../../events/core/values.js'

const stirrer = defineJob({
  name: 'stirrer',
  help: 'Turns.',
  parameters: {
    target_rpm: { schema: Type.Number({ minimum: 0, maximum: 5000 }), unit: 'RPM', settable: true, doc: 'Requested.' },
    enabled: { schema: Type.Boolean(), settable: true, doc: 'On or off.' },
    turns: { schema: Type.Integer({ minimum: 1 }), settable: true, doc: 'How many.' },
    measured_rpm: { schema: MeasuredRPM, unit: 'RPM', published: true, doc: 'Measured.' },
  },
})

describe('a declared job', () => {
  it('builds its topics', () =>
    expect(stirrer.topic('u1', 'growth 7', 'target_rpm')).toBe('pioreactor/u1/growth 7/stirrer/target_rpm'))

  test.each([
    ['500', 500],
    [' 1.5e2 ', 150],
    ['0', 0],
    ['.5', 0.5],
  ])('reads %j as %d RPM', (text, value) => expect(stirrer.parse('target_rpm', text)).toBe(value))

  test.each(['True', 'true', '1', 'y', 'ON', 'yes', 't'])('reads %s as true', (text) =>
    expect(stirrer.parse('enabled', text)).toBe(true),
  )

  test.each([
    ['target_rpm', '5001', 'target_rpm is 5001 RPM; it must be at most 5000 RPM.'],
    ['target_rpm', '-1', 'target_rpm is -1 RPM; it must be at least 0 RPM.'],
    ['target_rpm', 'abc', "target_rpm is 'abc'; it must be a number in RPM."],
    ['target_rpm', 'nan', "target_rpm is 'nan'; it must be a number in RPM."],
    ['target_rpm', 'Infinity', "target_rpm is 'Infinity'; it must be a number in RPM."],
    ['target_rpm', '1e999', "target_rpm is '1e999'; it must be a finite number."],
    ['turns', '1.0', "turns is '1.0'; it must be an integer."],
    ['enabled', 'perhaps', "enabled is 'perhaps'; it must be a boolean such as true or false."],
    ['measured_rpm', '{}', 'measured_rpm of stirrer cannot be set.'],
  ] as const)('refuses %s = %s and says why', (setting, text, message) =>
    expect(() => stirrer.parse(setting, text)).toThrow(message),
  )

  it('refuses a setting it does not have', () =>
    expect(() => stirrer.parse('colour' as 'turns', '1')).toThrow("stirrer has no setting 'colour'."))

  it('tells what it can do', () => {
    const { published_settings: settings, cli_example } = stirrer.capability('u1')
    expect(cli_example).toBe('pio run stirrer [OPTIONS]')
    expect(settings['target_rpm']).toMatchObject({ datatype: 'float', settable: true, unit: 'RPM' })
    expect(settings['enabled']).toMatchObject({ datatype: 'boolean', settable: true })
    expect(settings['turns']).toMatchObject({ datatype: 'integer' })
    expect(settings['measured_rpm']).toMatchObject({ datatype: 'MeasuredRPM', settable: false })
    expect(settings['$state']).toMatchObject({ datatype: 'string', settable: true })
  })
})

describe('published values', () => {
  test.each([
    [29.5, '29.5'],
    [1.2000000000000002, '1.2000000000000002'],
    [true, 'True'],
    [false, 'False'],
    ['chemostat', 'chemostat'],
    [{ measured_rpm: 500, timestamp: 'Z' }, '{"measured_rpm":500,"timestamp":"Z"}'],
  ])('%j is sent as %s', (value, text) => expect(encodeValue(value)).toBe(text))

  it('are read back as they were', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(decodeValue('x', { schema: Type.Number() }, encodeValue(value))).toBe(Object.is(value, -0) ? 0 : value)
      }),
    )
  })
})
