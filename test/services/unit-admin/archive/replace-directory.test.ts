import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeEach, expect, test } from 'vitest'
import { finishReplacement, stageReplacement } from '../../../../services/unit-admin/archive/replace-directory.js'
import { fileTree } from '../../../support/file-tree.js'
import { temporaryDirectory } from '../../../support/temporary-directory.js'

const OLD = { 'config.ini': 'old', storage: '/', 'storage/x': 'old x' }
const NEW = { 'config.ini': 'new config.ini', second: 'new second' }
const PROCESS = fileURLToPath(new URL('../../../support/replace-directory-process.js', import.meta.url))

let home: string
let root: string
beforeEach(() => {
  home = temporaryDirectory()
  root = join(home, 'dot')
  mkdirSync(join(root, 'storage'), { recursive: true })
  writeFileSync(join(root, 'config.ini'), 'old')
  writeFileSync(join(root, 'storage', 'x'), 'old x')
})

const killedAt = (step: string): unknown => spawnSync(process.execPath, [PROCESS, root, step]).signal

test.each([
  ['staging made', OLD],
  ['filled config.ini', OLD],
  ['filled second', OLD],
  ['staging whole', OLD],
  ['ready', OLD],
  ['earlier one deleted', OLD],
  ['moved away', NEW],
  ['in place', NEW],
  ['all', NEW],
])('killed at "%s" the directory is the old one or the new one after the next start', (step, wanted) => {
  // One of an earlier import must not be taken for the present one.
  mkdirSync(`${root}.before-import`)
  expect(killedAt(step)).toBe('SIGKILL')
  finishReplacement(root)
  expect(fileTree(root)).toEqual(wanted)
  expect(readdirSync(home).filter((name) => /import(-ready)?$/.test(name) && !/before/.test(name))).toEqual([])
  finishReplacement(root)
  expect(fileTree(root)).toEqual(wanted)
})

test('a start that made an empty directory in the gap does not keep the new one away', () => {
  expect(killedAt('moved away')).toBe('SIGKILL')
  mkdirSync(root)
  finishReplacement(root)
  expect(fileTree(root)).toEqual(NEW)
  expect(fileTree(`${root}.before-import`)).toEqual(OLD)
})

test('a directory behind a link is replaced where it is, also after a death', () => {
  const link = join(home, 'link')
  symlinkSync(root, link)
  expect(spawnSync(process.execPath, [PROCESS, link, 'moved away']).signal).toBe('SIGKILL')
  finishReplacement(link)
  expect(fileTree(link)).toEqual(NEW)
  expect(fileTree(root)).toEqual(NEW)
})

test('what fails while it is filled leaves all as it was', async () => {
  const failing = stageReplacement(root, async (staging) => {
    writeFileSync(join(staging, 'x'), 'x')
    throw new Error('the disk is full')
  })
  await expect(failing).rejects.toThrow('the disk is full')
  expect(readdirSync(home)).toEqual(['dot'])
  expect(fileTree(root)).toEqual(OLD)
})

test('what cannot be put in place leaves all as it was', async () => {
  const replace = await stageReplacement(
    root,
    async () => undefined,
    (step) => {
      if (step === 'earlier one deleted') throw new Error('busy')
    },
  )
  await expect(replace()).rejects.toThrow('busy')
  expect(readdirSync(home)).toEqual(['dot'])
  expect(fileTree(root)).toEqual(OLD)
})
