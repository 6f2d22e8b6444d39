import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  EXPORT_LIST,
  ExportEntries,
  importArchiveTask,
  prepareExportCommand,
} from '../../../../events/machine/archive.js'
import { checkJson } from '../../../../events/schema.js'
import { taskEvent } from '../../../../events/system/tasks.js'
import { zipFiles } from '../../../../http-gateway/framework/zip-files.js'
import { ActivePointers } from '../../../../services/bioreactor/calibrations/active-pointers.js'
import type { Service } from '../../../../services/runtime/service.js'
import { type ArchiveContext, startArchiveService } from '../../../../services/unit-admin/archive/archive-service.js'
import { readZip } from '../../../http-gateway/support/read-zip.js'
import { FakeClock } from '../../../support/fake-clock.js'
import { fileTree } from '../../../support/file-tree.js'
import { give } from '../../../support/give.js'
import { MemoryBroker } from '../../../support/memory-bus.js'
import { silentLogger } from '../../../support/silent-logger.js'
import { temporaryDirectory } from '../../../support/temporary-directory.js'
import { until } from '../../../support/until.js'
import { writeZip, type ZippedEntry } from '../../../support/write-zip.js'

let home: string
let dot: string
let spoolDirectory: string
let clock: FakeClock
let broker: MemoryBroker
let service: Service
let happened: string[]
let mayReboot: boolean

beforeEach(async () => {
  home = temporaryDirectory()
  dot = join(home, 'dot')
  spoolDirectory = join(home, 'spool')
  clock = new FakeClock()
  broker = new MemoryBroker()
  happened = []
  mayReboot = false
  mkdirSync(spoolDirectory)
  mkdirSync(join(dot, 'storage', 'calibrations', 'media_pump'), { recursive: true })
  mkdirSync(join(dot, 'plugins', 'packages', 'air'), { recursive: true })
  mkdirSync(join(dot, 'empty'))
  writeFileSync(join(dot, 'storage', 'calibrations', 'media_pump', 'a b.yaml'), 'calibration_name: a b\n')
  writeFileSync(join(dot, 'plugins', 'packages', 'air', 'index.js'), Buffer.from([0, 255, 10, 13]))
  writeFileSync(join(dot, '.hidden'), '')
  new ActivePointers(dot, 'active_calibrations').set('media_pump', 'a b')
  writeFileSync(join(dot, 'config.ini'), '[stirring.config]\r\ntarget = 5  # mine\n')
  await start()
})
afterEach(() => service.stop())

async function start(): Promise<void> {
  const context = {
    unit: 'u1',
    clock,
    logger: silentLogger,
    bus: broker.connect(),
    dotPioreactor: dot,
    spoolDirectory,
    privatePaths: [home],
    machine: { allows: () => mayReboot, reboot: async () => void happened.push('reboot') },
    restart: () => void happened.push('restart'),
    hold: async (reason: string) => {
      happened.push(`hold: ${reason}`)
      return () => void happened.push('release')
    },
  }
  service = await startArchiveService(context as unknown as ArchiveContext, [])
}

/** As the gateway streams it. */
async function exported(): Promise<Buffer> {
  const { spool } = await give(service, prepareExportCommand, {})
  const folder = join(spoolDirectory, spool)
  const stream = new PassThrough()
  const whole = buffer(stream)
  await zipFiles(checkJson(ExportEntries, readFileSync(join(folder, EXPORT_LIST), 'utf8')), stream)
  rmSync(folder, { recursive: true })
  return whole
}

function uploaded(archive: Buffer): string {
  const spool = `${randomUUID()}.zip`
  writeFileSync(join(spoolDirectory, spool), archive, { mode: 0o600 })
  return spool
}

let orders = 0
async function imported(archive: Buffer) {
  const id = `order-${orders++}`
  await give(service, importArchiveTask, { spool: uploaded(archive) }, id)
  const last = () => taskEvent.parse(broker.payloads(taskEvent.topic({ unit: 'u1', task_id: id })).at(-1) ?? '')
  await until(() => ['succeeded', 'failed'].includes(last().status), 'the end of the task')
  return last()
}

const pointers = (): unknown => new ActivePointers(dot, 'active_calibrations').all()
const withoutDatabase = (tree: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(tree).filter(([path]) => !path.endsWith('.sqlite')))

describe('an archive', () => {
  test('gives the same unit after everything was wiped', async () => {
    const before = withoutDatabase(fileTree(dot))
    const archive = await exported()
    rmSync(dot, { recursive: true })
    mkdirSync(dot)
    expect(await imported(archive)).toMatchObject({ status: 'succeeded', result: true })
    expect(withoutDatabase(fileTree(dot))).toEqual(before)
    expect(pointers()).toEqual(new Map([['media_pump', 'a b']]))
    expect(readdirSync(spoolDirectory)).toEqual([])
  })

  test('names its unit, has directories and hidden files, sorted, and the configuration byte for byte', async () => {
    const entries = readZip(await exported())
    expect(entries.map(({ name }) => name)).toEqual([
      '.hidden',
      'config.ini',
      'empty/',
      'plugins/',
      'plugins/packages/',
      'plugins/packages/air/',
      'plugins/packages/air/index.js',
      'storage/',
      'storage/calibrations/',
      'storage/calibrations/media_pump/',
      'storage/calibrations/media_pump/a b.yaml',
      'storage/local_persistent_pioreactor_metadata.sqlite',
      'pioreactor_export_metadata.json',
    ])
    expect(JSON.parse(entries.at(-1)?.content.toString() ?? '')).toEqual({
      metadata_version: 1,
      name: 'u1',
      leader_hostname: 'unknown',
      is_leader: false,
      app_version: expect.any(String),
      exported_at_utc: clock.now().toISOString(),
    })
    expect(entries[1]?.content.equals(readFileSync(join(dot, 'config.ini')))).toBe(true)
  })

  test('has no secret; at an import those of this unit come back, others are out of force', async () => {
    const text = '[mqtt]\nusername = pi\npassword = geheim1\n[x]\napi_key: geheim2\nurl = mqtt://pi:geheim3@h\n'
    writeFileSync(join(dot, 'unit_config.ini'), text)
    const archive = await exported()
    for (const { content } of readZip(archive)) expect(content.toString('latin1')).not.toContain('geheim')
    await imported(archive)
    expect(readFileSync(join(dot, 'unit_config.ini'), 'utf8')).toBe(text)
    writeFileSync(join(dot, 'unit_config.ini'), '[mqtt]\npassword = other\n')
    await imported(archive)
    const restored = readFileSync(join(dot, 'unit_config.ini'), 'utf8')
    expect(restored).toContain('\npassword = other\n')
    expect(restored.match(/^# not in the archive, enter it again: (api_key|url)/gm)).toHaveLength(2)
  })

  test('holds files that links inside lead to, and nothing from outside', async () => {
    writeFileSync(join(home, 'secret'), 'geheim')
    symlinkSync(join(home, 'secret'), join(dot, 'out'))
    symlinkSync(join(dot, 'nowhere'), join(dot, 'dangling'))
    symlinkSync('config.ini', join(dot, 'link'))
    symlinkSync(dot, join(dot, 'round'))
    const entries = readZip(await exported())
    const names = entries.map(({ name }) => name)
    expect(names).toContain('link')
    expect(names.filter((name) => /^(out|dangling|round)/.test(name))).toEqual([])
    for (const { content } of entries) expect(content.toString()).not.toContain('geheim')
  })

  test('is neither made nor taken while the flag forbids it', async () => {
    const archive = await exported()
    writeFileSync(join(dot, 'DISALLOW_UI_FILE_SYSTEM'), '')
    await expect(exported()).rejects.toMatchObject({ code: 'files.disallowed' })
    await expect(imported(archive)).rejects.toMatchObject({ code: 'files.disallowed' })
  })
})

describe('an import', () => {
  const CONFIG = { name: 'config.ini', content: '[a]\nb = 1\n' }
  const metadata = (content: unknown): ZippedEntry => ({
    name: 'pioreactor_export_metadata.json',
    content: typeof content === 'string' ? content : JSON.stringify(content),
  })

  test('replaces everything, keeps what was beside it until the next, and outputs are safe meanwhile', async () => {
    const before = fileTree(dot)
    expect((await imported(writeZip([CONFIG]))).result).toBe(true)
    expect(fileTree(dot)).toEqual({ 'config.ini': '[a]\nb = 1\n' })
    expect(fileTree(`${dot}.before-import`)).toEqual(before)
    expect(happened).toEqual(['hold: the data directory is replaced'])
    await clock.advance(2000)
    await until(() => happened.length > 1, 'the restart')
    expect(happened.slice(1)).toEqual(['restart'])
  })

  test('starts the computer again where that is allowed', async () => {
    mayReboot = true
    await imported(writeZip([CONFIG]))
    await clock.advance(2000)
    await until(() => happened.length > 2, 'the restart')
    expect(happened.slice(1)).toEqual(['reboot', 'restart'])
  })

  test('keeps ui and hardware where the archive has none, and plugins where they are not to be installed', async () => {
    mkdirSync(join(dot, 'ui', 'jobs'), { recursive: true })
    writeFileSync(join(dot, 'ui', 'jobs', 'x.yaml'), 'old')
    mkdirSync(join(dot, 'hardware'))
    writeFileSync(join(dot, 'DISALLOW_UI_INSTALLS'), '')
    const evil = { name: 'plugins/evil.py', content: 'evil' }
    await imported(writeZip([CONFIG, evil, { name: 'hardware/h.yaml', content: 'new' }]))
    expect(fileTree(dot)).toMatchObject({ 'ui/jobs/x.yaml': 'old', 'hardware/h.yaml': 'new', DISALLOW_UI_INSTALLS: '' })
    expect(existsSync(join(dot, 'plugins', 'evil.py'))).toBe(false)
    expect(existsSync(join(dot, 'plugins', 'packages', 'air', 'index.js'))).toBe(true)
  })

  test.each<readonly [string, Buffer, RegExp]>([
    ['that is none', Buffer.from('hello'), /valid zip/],
    ['that is empty', Buffer.alloc(0), /valid zip/],
    ['that is cut off', writeZip([CONFIG]).subarray(0, 60), /valid zip/],
    ['whose beginning is cut off', writeZip([CONFIG]).subarray(10), /valid zip/],
    ['with an absolute path', writeZip([CONFIG, { name: '/etc/passwd' }]), /absolute paths/],
    ['with a drive', writeZip([CONFIG, { name: 'C:\\x' }]), /absolute paths/],
    ['with a path that leads out', writeZip([CONFIG, { name: 'a/../../x' }]), /path traversal/],
    ['with a path that leads out on Windows', writeZip([CONFIG, { name: '..\\x' }]), /path traversal/],
    ['with a link', writeZip([CONFIG, { name: 'l', content: '/etc', mode: 0o120777 }]), /symbolic links/],
    ['with a device', writeZip([CONFIG, { name: 'd', mode: 0o020666 }]), /neither file nor directory/],
    ['with a name twice', writeZip([CONFIG, CONFIG]), /twice/],
    ['with a file below a file', writeZip([CONFIG, { name: 'config.ini/x' }]), /below a file/],
    ['with an odd name', writeZip([CONFIG, { name: 'a//b' }]), /no file here/],
    ['with a dot for a name', writeZip([CONFIG, { name: './b' }]), /no file here/],
    ['with a name of control characters', writeZip([CONFIG, { name: 'a\nb' }]), /no file here/],
    ['with a name that is too long', writeZip([CONFIG, { name: 'a'.repeat(256) }]), /no file here/],
    ['that is encrypted', writeZip([{ ...CONFIG, flags: 0x801 }]), /valid zip/],
    ['compressed otherwise', writeZip([{ ...CONFIG, method: 12 }]), /valid zip/],
    ['that unpacks to too much', writeZip([CONFIG, { name: 'b', told: { bytes: 2 ** 31 } }]), /too large/],
    ['of another unit', writeZip([CONFIG, metadata({ name: 'other' })]), /"other".*u1/],
    ['with metadata that is no JSON', writeZip([CONFIG, metadata('{')]), /metadata/],
    ['with metadata that is a list', writeZip([CONFIG, metadata([])]), /metadata/],
    ['of something else', writeZip([{ name: 'x' }]), /none of a data directory/],
    ['without anything', writeZip([]), /none of a data directory/],
  ])('of an archive %s is refused at once, and nothing is changed', async (_, archive, error) => {
    const before = fileTree(home)
    await expect(imported(archive)).rejects.toMatchObject({
      code: 'archive.invalid',
      message: expect.stringMatching(error),
    })
    expect(fileTree(home)).toEqual(before)
    expect(happened).toEqual([])
  })

  test.each<readonly [string, Buffer]>([
    [
      'unpacks to more than it says',
      writeZip([CONFIG, { name: 'bomb', content: Buffer.alloc(10_000_000), told: { bytes: 5 } }]),
    ],
    ['unpacks to less', writeZip([CONFIG, { name: 'x', content: 'abc', told: { bytes: 5 } }])],
    ['is not what was packed', writeZip([CONFIG, { name: 'x', content: 'abc', told: { crc: 1 } }])],
  ])('whose file %s fails, and all is as it was', async (_, archive) => {
    const before = fileTree(home)
    expect(await imported(archive)).toMatchObject({ status: 'failed', error: { code: 'archive.invalid' } })
    expect(fileTree(home)).toEqual(before)
    expect(happened).toEqual([])
  })

  test('is not begun where the unit itself lies in the directory', async () => {
    const upload = writeZip([CONFIG])
    await service.stop()
    dot = home
    await start()
    expect(await imported(upload)).toMatchObject({ status: 'failed', error: { code: 'archive.not_taken' } })
  })

  test('of a name that leads out of the spool is refused', async () => {
    for (const spool of ['../dot/config.ini', 'x.zip', `${randomUUID()}.zip`]) {
      await expect(give(service, importArchiveTask, { spool })).rejects.toMatchObject({ code: 'archive.invalid' })
    }
  })
})
