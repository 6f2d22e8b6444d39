import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type ReplaceOptions, replaceFile, replaceFileSync } from '../../primitives/replace-file.js'
import { temporaryDirectory } from '../support/temporary-directory.js'

const flavours: readonly [string, (path: string, content: string, options?: ReplaceOptions) => Promise<void>][] = [
  ['replaceFile', replaceFile],
  ['replaceFileSync', async (...given) => replaceFileSync(...given)],
]

describe.each(flavours)('%s', (_name, replace) => {
  test('makes a file, then replaces it, and leaves nothing beside it', async () => {
    const directory = temporaryDirectory()
    const path = join(directory, 'values.json')
    await replace(path, 'first, and longer')
    await replace(path, 'second')
    expect(readFileSync(path, 'utf8')).toBe('second')
    expect(readdirSync(directory)).toEqual(['values.json'])
  })

  test('gives the file its permissions, whatever a crash left behind', async () => {
    const path = join(temporaryDirectory(), 'credentials')
    writeFileSync(`${path}.tmp`, 'half of wha', { mode: 0o666 })
    await replace(path, 'secret', { mode: 0o600 })
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readFileSync(path, 'utf8')).toBe('secret')
  })

  test('leaves the file as it was when it cannot be replaced', async () => {
    const path = join(temporaryDirectory(), 'taken')
    mkdirSync(join(path, 'not-empty'), { recursive: true })
    await expect(replace(path, 'new', { draft: `${path}.draft` })).rejects.toThrow()
    expect(existsSync(join(path, 'not-empty'))).toBe(true)
    expect(existsSync(`${path}.draft`)).toBe(false)
  })
})
