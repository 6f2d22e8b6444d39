import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { RunColumn } from '../../../events/potentiostat/run-order.js'
import type { SampleBlock } from '../../../events/potentiostat/samples.js'
import { csvNumber } from '../../../projections/run-files/csv-number.js'
import { csvHeader, csvRows } from '../../../projections/run-files/csv-rows.js'

describe('numbers as Python prints them', () => {
  test.each([
    [0, '0.0'],
    [-0, '-0.0'],
    [3, '3.0'],
    [-1, '-1.0'],
    [Math.fround(0.1), '0.10000000149011612'],
    [1e-5, '1e-05'],
    [0.0001, '0.0001'],
    [0.00001234, '1.234e-05'],
    [5 * 0.00036, '0.0018000000000000002'],
    [-9.858561497821938e-6, '-9.858561497821938e-06'],
    [1e15, '1000000000000000.0'],
    [1e16, '1e+16'],
    [1.5e22, '1.5e+22'],
    [1e-300, '1e-300'],
    [Number.NaN, 'nan'],
    [Number.POSITIVE_INFINITY, 'inf'],
    [Number.NEGATIVE_INFINITY, '-inf'],
  ])('%d is %s', (value, text) => expect(csvNumber(value)).toBe(text))

  test('every finite number reads back as itself and looks like a Python float', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = csvNumber(value)
        expect(Number(text)).toBe(value)
        expect(text).toMatch(/^-?(\d+\.\d+|\d(\.\d*[1-9])?e[+-]\d{2,3})$/)
      }),
    )
  })
})

const columns: RunColumn[] = [
  { header: 'Time (s)', field: 'time' },
  { header: 'Potential (V)', field: 'potential' },
  { header: 'Current (A)', field: 'current' },
  { header: 'Cycle', field: 'cycle' },
  { header: 'Exp', field: 'exp' },
  { header: 'Applied potential (V)', field: 'applied' },
]
const block: SampleBlock = {
  mode_index: 0,
  first: 0,
  first_sample: 0,
  timestamp: '2026-11-20T09:00:00.000Z',
  current: [-9.8585615e-6, -1.95227258e-5],
  potential: [0.0684238747, 0.0670732185],
  applied: [0, 0.00036036036],
  cycle: [[1, 2]],
}

describe('CSV rows', () => {
  test('restore float32 from nine digits, with the columns of the mode', () => {
    expect(csvHeader(columns) + csvRows(columns, block, { period_s: 0.00036, average: 1 })).toBe(
      [
        'Time (s),Potential (V),Current (A),Cycle,Exp,Applied potential (V)',
        '0.0,0.06842387467622757,-9.858561497821938e-06,1.0,1.0,0.0',
        '0.00036,0.06707321852445602,-1.9522725779097527e-05,1.0,1.0,0.00036036036908626556',
        '',
      ].join('\r\n'),
    )
  })

  test('an averaged row has the time of its first sample', () => {
    const averaged = { ...block, first: 3, first_sample: 417 }
    const lines = csvRows(columns, averaged, { period_s: 0.00036, average: 139 }).split('\r\n')
    expect(lines.map((line) => line.split(',')[0])).toEqual([csvNumber(417 * 0.00036), csvNumber(556 * 0.00036), ''])
  })

  test('a label that changes inside a block changes on its row', () => {
    const lines = csvRows(
      columns,
      {
        ...block,
        cycle: [
          [1, 1],
          [2, 1],
        ],
      },
      { period_s: 1, average: 1 },
    ).split('\r\n')
    expect(lines.slice(0, 2).map((line) => line.split(',')[3])).toEqual(['1.0', '2.0'])
  })

  test('rows already written can be skipped', () => {
    const timing = { period_s: 0.00036, average: 1 }
    const [, second] = csvRows(columns, block, timing).split('\r\n')
    expect(csvRows(columns, block, timing, 1)).toBe(`${second}\r\n`)
  })
})
