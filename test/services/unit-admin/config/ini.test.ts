import fc from 'fast-check'
import { expect, test } from 'vitest'
import { mergeIni, parseIni, readOption } from '../../../../services/unit-admin/config/ini.js'

const read = (text: string, section = 's', option = 'a'): unknown => readOption(parseIni(text), section, option)

test.each([
  ['[s]\na = 1 ; x', '1 ; x'],
  ['[s]\na: b=c', 'b=c'],
  ['[s]\na=', ''],
  ['[s]\na', null],
  ['[s]\n# note\n; note\n  a = 1', '1'],
  ['[s]\na = 1\n  2\n# note\n  3', '1\n2\n3'],
  ['[s]\na = 1\n\n\n[t]', '1'],
  ['[DEFAULT]\na = 7\n[s]\nb=1', '7'],
  ['[s]\nb = 5\na = %(b)s %%', '5 %'],
  ['[s]\na = 1\n[s]\na = 2', '2'],
  ['[s]\nA = 1', undefined],
  ['[s]\na = 1–2', '1-2'],
])('%j gives %j', (text, expected) => {
  expect(read(text)).toBe(expected)
})

test.each(['[s]\na = 5 %', '[s]\na = %(nope)s', '[s]\na = %(a)s'])('%j cannot be read', (text) => {
  expect(() => read(text)).toThrow('[s] a')
})

test('strict reading refuses duplicates and stray options by line', () => {
  expect(() => parseIni('[s]\na=1\na=2', { strict: true })).toThrow('Line 3')
  expect(() => parseIni('[s]\n[s]', { strict: true })).toThrow('Line 2')
  expect(() => parseIni('a=1')).toThrow('Line 1')
})

test('later layers win, option by option', () => {
  const merged = mergeIni(parseIni('[s]\na=1\nb=2'), parseIni('[s]\na=3\n[t]\nc=4'))
  expect([readOption(merged, 's', 'a'), readOption(merged, 's', 'b'), readOption(merged, 't', 'c')]).toEqual([
    '3',
    '2',
    '4',
  ])
})

test('what is written plainly is read back', () => {
  const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.]{0,10}$/)
  const value = fc.stringMatching(/^([A-Za-z0-9,.\-;#=:/]([A-Za-z0-9 ,.\-;#=:/]{0,20}[A-Za-z0-9,.\-;#=:/])?)?$/)
  fc.assert(
    fc.property(fc.dictionary(name, fc.dictionary(name, value, { minKeys: 1 }), { minKeys: 1 }), (config) => {
      const text = Object.entries(config)
        .map(([section, options]) =>
          [`[${section}]`, ...Object.entries(options).map(([k, v]) => `${k} = ${v}`)].join('\n'),
        )
        .join('\n\n')
      const sections = parseIni(text, { strict: true })
      for (const [section, options] of Object.entries(config)) {
        for (const [option, expected] of Object.entries(options)) {
          if (section !== 'DEFAULT') expect(readOption(sections, section, option)).toBe(expected)
        }
      }
    }),
  )
})
