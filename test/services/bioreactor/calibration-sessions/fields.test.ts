import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fields, readInputs } from '../../../../services/bioreactor/calibration-sessions/fields.js'

const form = [
  fields.text('name', 'Name', { default: 'cal-1' }),
  fields.number('rpm', 'RPM', { default: 500, minimum: 0, maximum: 1500 }),
  fields.numbers('volumes', 'mL', { default: [1], minimum: 0.0001 }),
  fields.flag('overwrite', 'Replace', { default: false }),
  fields.choice('next', 'Next', { options: ['more', 'blank'], default: 'more' }),
]
const read = (given: Readonly<Record<string, unknown>>) => readInputs(form, given)

describe('inputs of a form', () => {
  test('that are left out, or empty, have their defaults', () => {
    for (const inputs of [read({}), read({ name: ' ', rpm: '', volumes: null, overwrite: '', next: null })]) {
      expect(inputs.text('name')).toBe('cal-1')
      expect(inputs.number('rpm')).toBe(500)
      expect(inputs.numbers('volumes')).toEqual([1])
      expect(inputs.flag('overwrite')).toBe(false)
      expect(inputs.text('next')).toBe('more')
      expect(inputs.action).toBeNull()
    }
  })

  test('may be texts, which are trimmed', () => {
    const inputs = read({
      name: ' x ',
      rpm: ' 12.5 ',
      volumes: '0.5, 2',
      overwrite: ' YES ',
      next: 'blank',
      action: 'redo_last ',
    })
    expect(inputs.text('name')).toBe('x')
    expect(inputs.number('rpm')).toBe(12.5)
    expect(inputs.numbers('volumes')).toEqual([0.5, 2])
    expect(inputs.flag('overwrite')).toBe(true)
    expect(inputs.text('next')).toBe('blank')
    expect(inputs.action).toBe('redo_last')
  })

  test.each([
    [{ rpm: 'fast' }, 'rpm is "fast"; it must be a number.'],
    [{ rpm: -1 }, 'rpm is -1; it must be at least 0.'],
    [{ rpm: '1501' }, 'rpm is 1501; it must be at most 1500.'],
    [{ rpm: 'Infinity' }, 'rpm is "Infinity"; it must be a number.'],
    [{ rpm: true }, 'rpm is true; it must be a number.'],
    [{ volumes: [] }, 'volumes is empty; it must have a number.'],
    [{ volumes: '1,,2' }, 'volumes has a comma without a number.'],
    [{ volumes: [1, 0] }, 'volumes is 0; it must be at least 0.0001.'],
    [{ volumes: { 0: 1 } }, 'volumes is {"0":1}; it must be numbers with commas between them.'],
    [{ volumes: Array.from({ length: 101 }, () => 1) }, 'volumes has 101 numbers; it may have 100.'],
    [{ overwrite: 'maybe' }, 'overwrite is "maybe"; it must be yes or no.'],
    [{ next: 'other' }, 'next is "other"; allowed are more, blank.'],
    [{ name: ['x'] }, 'name is ["x"]; it must be text.'],
    [{ name: 'x'.repeat(1001) }, 'name has 1001 characters; it may have 1000.'],
  ])('%j are refused', (given, message) => {
    expect(() => read(given)).toThrow(expect.objectContaining({ code: 'calibration_session.refused', message }))
  })

  test('without default must be given', () => {
    expect(() => readInputs([fields.number('od', 'OD')], {})).toThrow('od is missing.')
  })

  test('have the messages of their field where it has some', () => {
    const shy = fields.number('ml', 'mL', { minimum: 1, min_error_msg: 'Pour more.' })
    expect(() => readInputs([shy], { ml: 0 })).toThrow('Pour more.')
  })

  test('whatever they are, are read within their limits or refused by name', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('name', 'rpm', 'volumes', 'overwrite', 'next'), fc.jsonValue()),
        (given) => {
          try {
            const inputs = read(given)
            const rpm = inputs.number('rpm')
            expect(rpm >= 0 && rpm <= 1500).toBe(true)
            expect(inputs.numbers('volumes').every((ml) => ml >= 0.0001)).toBe(true)
            expect(['more', 'blank']).toContain(inputs.text('next'))
          } catch (error) {
            expect(error).toMatchObject({
              code: 'calibration_session.refused',
              details: { field: expect.any(String) as string },
            })
          }
        },
      ),
    )
  })
})
