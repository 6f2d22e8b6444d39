import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { declaredErrors, fromErrorRecord, toErrorRecord } from '../../../events/core/errors.js'
import { statusOf } from '../../../http-gateway/framework/errors.js'
import { renderErrors } from '../../../http-gateway/framework/render-errors.js'

const NOT_SOURCE = new Set(['bench', 'dist', 'node_modules', 'test'])
const CORE = 'events/core/errors.ts'

const sources: readonly string[] = readdirSync('.', { withFileTypes: true }).flatMap((entry) => {
  if (NOT_SOURCE.has(entry.name) || entry.name.startsWith('.')) return []
  if (!entry.isDirectory()) return entry.name.endsWith('.ts') ? [entry.name] : []
  const inside = readdirSync(entry.name, { recursive: true, encoding: 'utf8' })
  return inside.filter((name) => name.endsWith('.ts')).map((name) => join(entry.name, name))
})

/** Sources without their comments. */
const texts = new Map(
  sources.map((file) => [
    file,
    readFileSync(file, 'utf8')
      .replaceAll(/\/\*[\s\S]*?\*\//g, '')
      .replaceAll(/^\s*\/\/.*$/gm, ''),
  ]),
)
const declaring = sources.filter((file) => texts.get(file)?.includes('defineError('))

/** `const X = defineError('code'`, `class X extends defineError('code'`, and the gateway's `const X = withStatus(404, defineError('code'` */
const DECLARATION = /\b(?:const|class) (\w+)(?: =|\s+extends)\s+(?:withStatus\(\s*\d+,\s*)?defineError\(\s*'([^']+)'/g

const declarations = declaring.flatMap((file) =>
  [...(texts.get(file) ?? '').matchAll(DECLARATION)].map(([, name = '', code = '']) => ({ file, name, code })),
)

const all = [...texts.values()].join('\n')

beforeAll(async () => {
  const compiled = new URL('../../../', import.meta.url)
  expect(compiled.href).toBe(`${pathToFileURL(process.cwd()).href}/dist/`)
  for (const file of declaring) await import(new URL(file.replace(/\.ts$/, '.js'), compiled).href)
})

describe('every error', () => {
  test('was found', () => {
    expect(declaring.length).toBeGreaterThan(40)
    expect(declarations.length).toBeGreaterThan(100)
  })

  test('is declared where it can be read: one name, one code, known to all once its module is loaded', () => {
    expect(declaredErrors().map(({ code }) => code)).toEqual(declarations.map(({ code }) => code).sort())
  })

  test('is thrown as one of the declarations', () => {
    const others = sources.filter((file) => file !== CORE)
    const undeclared = /\bnew LabError\(|\bextends LabError\b|\bnew \(?defineError\b/
    expect(others.filter((file) => undeclared.test(texts.get(file) ?? ''))).toEqual([])
  })

  test('that is declared is thrown somewhere', () => {
    const thrown = ({ name }: (typeof declarations)[number]): boolean =>
      new RegExp(`\\bnew ${name}\\(|\\[${name}, ['"]`).test(all)
    expect(declarations.filter((declaration) => !thrown(declaration)).map(({ name }) => name)).toEqual([])
  })

  test('has a meaning in one sentence, and a status of its family or one that is meant', () => {
    for (const error of declaredErrors()) {
      expect([error.code, error.meaning]).toEqual([error.code, expect.stringMatching(/^[A-Z`].*\.$/)])
      expect([error.code, statusOf(error) >= 400 && statusOf(error) < 600]).toEqual([error.code, true])
    }
  })

  test('keeps code and family on the way between processes; of a defect nothing but that it was one', () => {
    for (const Declared of declaredErrors()) {
      const record = toErrorRecord(new Declared('A message.'))
      const { code, family } = fromErrorRecord(record)
      expect([code, family]).toEqual(
        Declared.family === 'defect' ? ['internal.error', 'defect'] : [Declared.code, Declared.family],
      )
      expect(record.message === 'A message.').toBe(Declared.family !== 'defect')
    }
  })
})

test('docs/errors.md is written from the declarations', async () => {
  const printed = declarations
    .filter(({ file }) => /^(cli|event-log|simulation)\/|^config\.ts$|^doors\/tls-/.test(file))
    .map(({ code }) => code)
  await expect(renderErrors(declaredErrors(), new Set(printed))).toMatchFileSnapshot(`${process.cwd()}/docs/errors.md`)
})
