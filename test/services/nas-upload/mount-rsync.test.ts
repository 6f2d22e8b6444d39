import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { chooseTransport, type Machine } from '../../../services/nas-upload/choose-transport.js'
import { createMountTransport } from '../../../services/nas-upload/mount-rsync.js'
import { configFor, type NasConfig } from '../../../services/nas-upload/nas-config.js'
import { type CommandResult, type RunCommand, runCommand } from '../../../services/nas-upload/run-command.js'
import { temporaryDirectory } from '../../support/temporary-directory.js'

const done: CommandResult = { code: 0, stdout: '', stderr: '' }

/** A kernel whose mounts are the directories themselves: what is written to the mount point stays there. */
class Kernel {
  readonly calls: string[] = []
  mountAnswer: CommandResult = done
  umountAnswer: CommandResult = done

  readonly run: RunCommand = async (program, args, options) => {
    this.calls.push([program, ...args.filter((arg) => !arg.includes('='))].join(' '))
    if (program === 'mount') return this.mountAnswer
    if (program === 'umount') return args.includes('-l') ? done : this.umountAnswer
    return runCommand(program, args, options)
  }
}

const hasRsync = spawnSync('rsync', ['--version']).status === 0
if (!hasRsync && process.env['REQUIRE_PEERS'] === '1') throw new Error('rsync not installed')

let kernel: Kernel
let home: string
let config: NasConfig
beforeEach(() => {
  kernel = new Kernel()
  home = temporaryDirectory()
  const setup = { host: 'nas', share: 'experiments', username: 'lab', password: 'x', base_subdir: 'Box01' }
  config = { ...configFor(setup, { credPath: join(home, 'credentials') }), mount_root: join(home, 'mnt') }
})

describe('the mount transport', () => {
  test('probes writing with a test file that it deletes, and unmounts', async () => {
    await createMountTransport(kernel.run).probe(config, 'write')
    const mountPoint = join(home, 'mnt', 'setup')
    expect(kernel.calls).toEqual([`mount -t cifs //nas/experiments ${mountPoint} -o`, `umount ${mountPoint}`])
    expect(readdirSync(join(mountPoint, 'Box01'))).toEqual([])
  })

  test('says that the base directory is missing, and unmounts', async () => {
    const probe = createMountTransport(kernel.run).probe(config, 'read')
    await expect(probe).rejects.toMatchObject({ code: 'nas.no_base_directory' })
    expect(kernel.calls.at(-1)).toBe(`umount ${join(home, 'mnt', 'health')}`)
  })

  test('unmounts lazily only when plainly fails', async () => {
    kernel.umountAnswer = { ...done, code: 32 }
    await createMountTransport(kernel.run).probe(config, 'write')
    const mountPoint = join(home, 'mnt', 'setup')
    expect(kernel.calls.slice(1)).toEqual([`umount ${mountPoint}`, `umount -l ${mountPoint}`])
  })

  test('writes nothing where nothing was mounted', async () => {
    kernel.mountAnswer = { code: 32, stdout: '', stderr: 'mount error(13): Permission denied\n' }
    const probe = createMountTransport(kernel.run).probe(config, 'write')
    await expect(probe).rejects.toMatchObject({ code: 'nas.wrong_password' })
    expect(readdirSync(join(home, 'mnt', 'setup'))).toEqual([])
    expect(kernel.calls).toHaveLength(1)
  })

  describe.skipIf(!hasRsync)('with rsync', () => {
    const files = { 'slot01/CV/a.csv': 'a,b\n', 'slot02/CA/b.csv': '' }
    const upload = (bytes?: number) => {
      for (const [path, text] of Object.entries({ ...files, UPLOAD_FAILED: 'x' })) {
        mkdirSync(dirname(join(home, 'run', path)), { recursive: true })
        writeFileSync(join(home, 'run', path), text)
      }
      return createMountTransport(kernel.run).upload(config, {
        source: join(home, 'run'),
        destination: 'Exp/run-1',
        files: Object.entries(files).map(([path, text]) => ({ path, bytes: bytes ?? text.length })),
      })
    }

    test('copies the files named and no other', async () => {
      await upload()
      const remote = join(home, 'mnt/upload/Box01/Exp/run-1')
      for (const [path, text] of Object.entries(files)) expect(readFileSync(join(remote, path), 'utf8')).toBe(text)
      expect(existsSync(join(remote, 'UPLOAD_FAILED'))).toBe(false)
      expect(kernel.calls.at(-1)).toMatch(/^umount/)
    })

    test('notices a size that differs', async () => {
      await expect(upload(17)).rejects.toMatchObject({ code: 'nas.incomplete' })
    })
  })
})

describe('the transport chosen', () => {
  const machine = (isRoot: boolean, hasCifs: boolean, ...programs: string[]): Machine => ({
    isRoot,
    hasCifs: async () => hasCifs,
    hasProgram: async (name) => programs.includes(name),
  })

  test.each([
    ['mount', machine(true, true, 'mount.cifs', 'rsync', 'smbclient')],
    ['smbclient', machine(false, true, 'mount.cifs', 'rsync', 'smbclient')],
    ['smbclient', machine(true, false, 'mount.cifs', 'rsync', 'smbclient')],
    ['smbclient', machine(true, true, 'mount.cifs', 'smbclient')],
    [undefined, machine(true, true, 'rsync')],
  ])('is %s', async (name, given) => {
    expect((await chooseTransport(given))?.name).toBe(name)
  })
})
