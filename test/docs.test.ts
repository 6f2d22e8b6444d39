import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'

const docs = readdirSync('docs', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md'))
const pages = ['README.md', 'CONTRIBUTING.md', ...docs.map((name) => join('docs', name))]

test.each(pages)('the links of %s lead to files', (page) => {
  const text = readFileSync(page, 'utf8')
  const links = [...text.matchAll(/\]\((?![a-z]+:)([^)#\s]+)(?:#[^)]*)?\)/g)].map(([, target = '']) => target)
  expect(links.filter((target) => !existsSync(join(dirname(page), target)))).toEqual([])
})

/** `a/{b,c}.ts` is two paths. */
function alternatives(path: string): readonly string[] {
  const [, before = '', list, after = ''] = /^(.*)\{(.*)\}(.*)$/.exec(path) ?? []
  return list === undefined ? [path] : list.split(',').map((part) => `${before}${part}${after}`)
}

/** Paths of a cell that are not there. One may begin in a folder of another one of its cell. */
function missing(cell: string, root: string, end: string): readonly string[] {
  const paths = [...cell.matchAll(/`([^`]+)`/g)].flatMap(([, path = '']) => alternatives(path))
  const folders = ['.', ...paths.flatMap((path) => [dirname(path), dirname(dirname(path))])]
  return paths.filter((path) => !folders.some((folder) => existsSync(join(root, folder, `${path}${end}`))))
}

test('every promise of the page about the architecture names code and tests that are there', () => {
  const page = readFileSync('docs/architecture.md', 'utf8')
  const rows = [...page.matchAll(/^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm)].map(([, ...cells]) => cells)
  const from = rows.findIndex(([first]) => first === 'Promise')
  const to = rows.findIndex(([first]) => first === 'To add')
  const promises = rows.slice(from + 1, to)
  expect(promises.length).toBeGreaterThan(15)
  const lost = promises.flatMap(([, code = '', tests = '']) => [
    ...missing(code, '.', ''),
    ...missing(tests, 'test', '.test.ts'),
  ])
  expect(lost).toEqual([])
})

test('every test that the page about safety names is there', () => {
  const rows = [...readFileSync('docs/safety.md', 'utf8').matchAll(/^\|.*\|$/gm)].map(([row]) => row)
  const named = rows.flatMap((row) => [...row.matchAll(/`([a-z-]+\/[^`]+)`/g)].map(([, path = '']) => path))
  expect(named.length).toBeGreaterThan(50)
  expect(named.filter((path) => !existsSync(join('test', `${path}.test.ts`)))).toEqual([])
})
