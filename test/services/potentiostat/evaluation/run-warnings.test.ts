import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { runWarnings, shareOf, warningsText } from '../../../../services/potentiostat/evaluation/run-warnings.js'

test.each(Object.keys(runWarnings))('the page on run files explains %s', (code) => {
  expect(readFileSync('docs/run-files.md', 'utf8')).toContain(`| \`${code}\` |`)
})

test('only all of the samples are 100 %', () => {
  expect(shareOf(5909, 6665)).toBe('5909 of 6665 samples (88.7 %)')
  expect(shareOf(13_329, 13_331)).toBe('13329 of 13331 samples (99.9 %)')
  expect(shareOf(6, 6, 'frequencies')).toBe('6 of 6 frequencies (100 %)')
})

test('a text names modes and stays readable', () => {
  const warnings = Array.from({ length: 30 }, () => ({ code: 'c', message: 'Odd.', mode_index: 1 }))
  expect(warningsText([], ['CA'])).toBeNull()
  expect(warningsText([{ code: 'c', message: 'All.' }, ...warnings.slice(0, 1)], ['CA', 'CV'])).toBe('All. CV: Odd.')
  expect(warningsText(warnings, ['CA', 'CV'])).toMatch(/There are 10 more warnings\.$/)
})
