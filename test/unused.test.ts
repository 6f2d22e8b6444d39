import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

/** Packages that no import names. */
const USED_OTHERWISE: Readonly<Record<string, string>> = {
  'dejavu-fonts-ttf': 'its font files are found by `require.resolve`',
  '@biomejs/biome': 'run by `npm run lint`',
  typescript: 'run by `npm run build`',
}

interface Source {
  readonly name: string
  /** Without comments. */
  readonly text: string
}

const withoutComments = (text: string): string => text.replace(/\/\*[\s\S]*?\*\/|(?<!:)\/\/.*$/gm, '')

const IGNORED = new Set(['node_modules', 'dist', 'coverage'])

const sources: readonly Source[] = readdirSync('.', { withFileTypes: true })
  .filter(({ name }) => !name.startsWith('.') && !IGNORED.has(name))
  .flatMap((entry) =>
    entry.isDirectory()
      ? readdirSync(entry.name, { recursive: true, encoding: 'utf8' }).map((name) => `${entry.name}/${name}`)
      : [entry.name],
  )
  .filter((name) => /\.(ts|js)$/.test(name))
  .map((name) => ({ name, text: withoutComments(readFileSync(name, 'utf8')) }))

const EXPORTED = /^export (?:abstract |async )*(?:const|let|function\*?|class|interface|type|enum) ([A-Za-z_$][\w$]*)/gm
/** `import { a, type B as C } from`, the same with `export`, and `{ a } = await import`. */
const NAMED = /(?:import|export)\s+(?:type\s+)?(?:[\w$]+\s*,\s*)?\{([^}]*)\}\s*from|\{([^}]*)\}\s*=\s*await import/g
/** `(await import('…')).a`, and what is asked of a namespace. */
const MEMBER = /\bimport\([^)]*\)\)\.([A-Za-z_$][\w$]*)/g

/** Exports that no other file imports and that their own file does not use either. */
function unusedExports(files: readonly Source[]): string[] {
  const imported = new Set<string>()
  for (const { text } of files) {
    for (const [, names, dynamic] of text.matchAll(NAMED)) {
      for (const name of (names ?? dynamic ?? '').split(',')) {
        const [word] = name
          .trim()
          .replace(/^type /, '')
          .split(/\s+as\s+|:/)
        if (word) imported.add(word.trim())
      }
    }
    for (const [, name = ''] of text.matchAll(MEMBER)) imported.add(name)
  }
  const countIn = (text: string, name: string): number =>
    [...text.matchAll(/[A-Za-z_$][\w$]*/g)].filter(([word]) => word === name).length
  return files.flatMap(({ name: file, text }) =>
    [...text.matchAll(EXPORTED)]
      .map(([, name = '']) => name)
      .filter((name) => !imported.has(name) && countIn(text, name) < 2)
      .map((name) => `${file}: ${name}`),
  )
}

describe('what nobody uses', () => {
  test('is not exported', () => {
    expect(sources.length).toBeGreaterThan(400)
    expect(unusedExports(sources)).toEqual([])
  })

  test('is not a dependency', () => {
    const { dependencies, optionalDependencies, devDependencies } = JSON.parse(
      readFileSync('package.json', 'utf8'),
    ) as {
      readonly [kind: string]: Readonly<Record<string, string>>
    }
    const all = Object.keys({ ...dependencies, ...optionalDependencies, ...devDependencies })
    expect(all.length).toBeGreaterThan(20)
    const text = sources.map((source) => source.text).join('\n')
    const isUsed = (name: string): boolean => {
      const plain = name.replace(/^@types\//, '')
      if (plain === 'node') return true
      return ['', '/'].some((end) => text.includes(`'${plain}${end}${end === '' ? "'" : ''}`))
    }
    expect(all.filter((name) => !isUsed(name) && !Object.hasOwn(USED_OTHERWISE, name))).toEqual([])
  })

  test('is found where there is some', () => {
    const files = [
      { name: 'a.ts', text: 'export const dead = 1\nexport const alive = 2\nexport const own = 3\nconsole.log(own)\n' },
      { name: 'b.ts', text: "import { alive as living } from './a.js'\n" },
    ]
    expect(unusedExports(files)).toEqual(['a.ts: dead'])
  })
})
