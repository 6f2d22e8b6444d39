import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { endpoints } from '../../../http-gateway/endpoints/index.js'
import { errorCodes } from '../../../http-gateway/framework/error-codes.js'

const FOLDERS = [
  'broker',
  'bus',
  'doors',
  'event-log',
  'events',
  'http-gateway',
  'projections',
  'services',
  'simulation',
]

const sources = ['config.ts', ...FOLDERS.flatMap(filesBelow)].filter((file) => !file.endsWith('error-codes.ts'))

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name))
}

/** Text between a call's parenthesis and the one that closes it. */
function argumentsAt(text: string, start: number): string {
  let depth = 1
  let end = start
  while (depth > 0 && end < text.length) {
    const character = text[end++]
    if (character === '(') depth++
    if (character === ')') depth--
  }
  return text.slice(start, end)
}

/** Codes given to the constructors of errors. */
const thrown = new Set(
  sources.flatMap((file) => {
    const text = readFileSync(file, 'utf8')
    const calls = [...text.matchAll(/\b(super|new (?:LabError|InvalidInput|RequestRefused))\(/g)]
    return calls.flatMap(({ index, 0: { length } }) =>
      [...argumentsAt(text, index + length).matchAll(/'([a-z_]+\.[a-z_]+)'/g)].map(([, code]) => String(code)),
    )
  }),
)

test('every code that is thrown has a status and a meaning in http-gateway/framework/error-codes.ts', () => {
  expect(thrown.size).toBeGreaterThan(20)
  expect([...thrown].filter((code) => !Object.hasOwn(errorCodes, code)).sort()).toEqual([])
})

test('no line is left of a code that nobody throws and no endpoint declares', () => {
  const known = new Set([...thrown, ...endpoints.flatMap(({ errors }) => errors)])
  const quoted = sources.map((file) => readFileSync(file, 'utf8')).join('\n')
  expect(Object.keys(errorCodes).filter((code) => !known.has(code) && !quoted.includes(`'${code}'`))).toEqual([])
})
