import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { InvalidInput } from '../../events/core/errors.js'
import { runNames, segmentName, timestampNames } from '../../events/run-names.js'

describe('segment names', () => {
  test.each([
    ['My Experiment', 'My_Experiment'],
    ['  A/B\\C  ', 'A_B_C'],
    ['Größe Ü 1', 'Gr_e_1'],
    ['../../etc', 'etc'],
    ['a__b--c', 'a_b-c'],
    ['a - b', 'a_-_b'],
    ['run.1', 'run_1'],
  ])('%j becomes %j', (value, name) => expect(segmentName('experiment_name', value)).toBe(name))

  test.each(['..', '-', 'テスト', '', '   '])('%j is refused by name of the field', (value) => {
    expect(() => segmentName('subdir', value)).toThrow(InvalidInput)
    expect(() => segmentName('subdir', value)).toThrow(/subdir/)
  })

  test('a name of 80 characters is kept, one of 81 refused', () => {
    expect(segmentName('experiment_name', 'x'.repeat(80))).toHaveLength(80)
    expect(() => segmentName('experiment_name', 'x'.repeat(81))).toThrow(/at most 80/)
  })

  test('whatever goes in, a segment is one safe folder name or an error', () => {
    fc.assert(
      fc.property(
        fc
          .array(fc.constantFrom(...' a_-./\\:é\0Z9\u{1F9EA}'), { maxLength: 90 })
          .map((characters) => characters.join('')),
        (value) => {
          try {
            expect(segmentName('x', value)).toMatch(/^[0-9A-Za-z]([0-9A-Za-z_-]*[0-9A-Za-z])?$/)
          } catch (error) {
            expect(error).toBeInstanceOf(InvalidInput)
          }
        },
      ),
    )
  })
})

describe('timestamp names', () => {
  test.each([
    ['2025-11-03T10-15-31', '2025-11-03T10-15-31', '2025-11-03_10-15-31'],
    ['2025-11-03T10:15:31Z', '2025-11-03T10-15-31Z', '2025-11-03_10-15-31Z'],
    ['2025-11-03T10:15:31+00:00', '2025-11-03T10-15-31-00-00', '2025-11-03_10-15-31-00-00'],
    ['2025-11-03 10:15:31.123', '2025-11-03_10-15-31-123', '2025-11-03_10-15-31-123'],
    ['03/11/2025 10:15', '03-11-2025_10-15', '03-11-2025_10-15'],
    ['2025-11-03T10:15:31.5+02:00', '2025-11-03T10-15-31-5-02-00', '2025-11-03_10-15-31-5-02-00'],
  ])('%j is the folder %j and the name %j', (value, directory, name) =>
    expect(timestampNames('client_datetime', value)).toEqual({ directory, name }),
  )

  test.each(['--', '', ' '])('%j is refused', (value) =>
    expect(() => timestampNames('client_datetime', value)).toThrow(/client_datetime/),
  )
})

test('a date of 40 characters is kept, one of 41 refused', () => {
  expect(timestampNames('client_datetime', '1'.repeat(40)).directory).toHaveLength(40)
  expect(() => timestampNames('client_datetime', '1'.repeat(41))).toThrow(/client_datetime.*at most 40/)
})

test('a run lives under experiment, subdirectory if any, and timestamp', () => {
  const order = { experiment_name: 'My Exp', subdir: 'Grp/A', client_datetime: '2025-11-03T10-15-31' }
  expect(runNames(order).directory).toBe('My_Exp/Grp_A/2025-11-03T10-15-31')
  expect(runNames({ ...order, subdir: '  ' })).toMatchObject({ subdir: null, directory: 'My_Exp/2025-11-03T10-15-31' })
  expect(() => runNames({ ...order, subdir: '..' })).toThrow(/subdir/)
})
