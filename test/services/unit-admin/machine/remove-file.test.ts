import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { removeFileTask } from '../../../../events/machine/commands.js'
import { MachineLab } from './machine-lab.js'

let lab: MachineLab
beforeEach(() => {
  lab = new MachineLab()
})
afterEach(() => lab.stop())

describe('a file', () => {
  const remove = async (filepath: string): Promise<unknown> => (await lab.end(removeFileTask, { filepath })).result

  test('is deleted by its relative path, its absolute one, and that of a leader', async () => {
    await lab.start()
    const paths = ['plugins/x.py', join(lab.dot, 'plugins', 'x.py'), '/home/pi/.pioreactor/plugins/x.py']
    for (const path of [...paths, 'plugins/../plugins/x.py']) {
      mkdirSync(join(lab.dot, 'plugins'), { recursive: true })
      writeFileSync(join(lab.dot, 'plugins', 'x.py'), 'x')
      expect(await remove(path)).toBe(true)
      expect(existsSync(join(lab.dot, 'plugins', 'x.py'))).toBe(false)
    }
  })

  test('that is none, or a directory, is not deleted: the result says so', async () => {
    await lab.start()
    for (const path of ['nothing', 'storage', 'storage/', '.', 'storage/nothing/deeper']) {
      expect([path, await remove(path)]).toEqual([path, false])
    }
    expect(existsSync(join(lab.dot, 'storage'))).toBe(true)
  })

  test('behind a link inside is deleted, the link is not', async () => {
    await lab.start()
    writeFileSync(join(lab.dot, 'target'), 'x')
    symlinkSync(join(lab.dot, 'target'), join(lab.dot, 'link'))
    expect(await remove('link')).toBe(true)
    expect(existsSync(join(lab.dot, 'target'))).toBe(false)
  })

  test.each([
    ['../secret', 'files.outside'],
    ['/etc/passwd', 'files.outside'],
    ['~/.bashrc', 'files.outside'],
    ['/home/pi/.pioreactor/../../secret', 'files.outside'],
    ['link', 'files.outside'],
    ['dangling', 'files.outside'],
    ['folder/secret', 'files.outside'],
    ['loop', 'files.outside'],
    ['private/key', 'files.outside'],
    ['to-private/key', 'files.outside'],
    ['storage/m.sqlite', 'files.database'],
    ['storage/m.sqlite-wal', 'files.database'],
    ['innocent', 'files.database'],
    ['', 'input.invalid'],
    ['config.ini\0', 'input.invalid'],
  ])('%j is refused, and all is as it was', async (path, code) => {
    await lab.start()
    writeFileSync(join(lab.home, 'secret'), 's')
    mkdirSync(join(lab.dot, 'private'))
    writeFileSync(join(lab.dot, 'private', 'key'), 'k')
    for (const name of ['m.sqlite', 'm.sqlite-wal']) writeFileSync(join(lab.dot, 'storage', name), 'd')
    symlinkSync(join(lab.home, 'secret'), join(lab.dot, 'link'))
    symlinkSync(join(lab.home, 'not-there'), join(lab.dot, 'dangling'))
    symlinkSync(lab.home, join(lab.dot, 'folder'))
    symlinkSync(join(lab.dot, 'loop'), join(lab.dot, 'loop'))
    symlinkSync(join(lab.dot, 'private'), join(lab.dot, 'to-private'))
    symlinkSync(join(lab.dot, 'storage', 'm.sqlite'), join(lab.dot, 'innocent'))
    await expect(lab.order(removeFileTask, { filepath: path })).rejects.toMatchObject({ code })
    for (const name of [
      join(lab.home, 'secret'),
      join(lab.dot, 'private', 'key'),
      join(lab.dot, 'storage', 'm.sqlite'),
    ]) {
      expect(existsSync(name)).toBe(true)
    }
  })

  test('is not deleted while the flag forbids it', async () => {
    await lab.start()
    writeFileSync(join(lab.dot, 'DISALLOW_UI_FILE_SYSTEM'), '')
    writeFileSync(join(lab.dot, 'x'), 'x')
    await expect(lab.order(removeFileTask, { filepath: 'x' })).rejects.toMatchObject({ code: 'files.disallowed' })
    expect(existsSync(join(lab.dot, 'x'))).toBe(true)
  })
})
