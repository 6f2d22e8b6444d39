import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { beforeEach, describe, expect, test } from 'vitest'
import { CALIBRATION, ESTIMATOR } from '../../../../events/bioreactor/artifacts.js'
import { ArtifactFileStore } from '../../../../services/bioreactor/calibrations/artifact-file-store.js'
import type { CalibrationStore, EstimatorStore } from '../../../../services/bioreactor/calibrations/artifact-store.js'
import { FUSED_FILE, OD_FILE, OD_JSON, putFile } from '../../../support/calibration-files.js'
import { FakeClock } from '../../../support/fake-clock.js'
import { MemoryBroker } from '../../../support/memory-bus.js'
import { pumpCalibration } from '../../../support/pump-calibration.js'
import { recordingLogger } from '../../../support/recording-logger.js'
import { temporaryDirectory } from '../../../support/temporary-directory.js'
import { calibrationOfVial, estimatorOfVial } from '../../../support/vial-lab.js'

const FILE = 'system/u1/calibrations/od90/demo-od90'
const ACTIVE = 'system/u1/active_calibrations/od90'

let home: string
let broker: MemoryBroker
let logger: ReturnType<typeof recordingLogger>
beforeEach(() => {
  home = temporaryDirectory()
  broker = new MemoryBroker()
  logger = recordingLogger()
})

const deps = () => ({ unit: 'u1', bus: broker.connect(), clock: new FakeClock(), logger, dotPioreactor: home })

/** A life of the services. */
async function startStore() {
  const past = [...broker.retained].map(([topic, payload]) => ({ topic, text: payload.toString() }))
  broker.published.length = 0
  const store = new ArtifactFileStore(CALIBRATION, deps())
  await store.start(past)
  return store
}

const put = (path: string, text: string | Uint8Array = OD_FILE): string => putFile(home, path, text)
const said = (topic: string): unknown => {
  const payload = broker.retained.get(topic)?.toString() ?? ''
  return payload === '' ? null : JSON.parse(payload)
}
const topics = (): string[] => broker.published.map(({ topic }) => topic)
const pumpFile = (name: string): string => join(home, 'storage/calibrations', name)

describe('a calibration', () => {
  test('that is saved is a file, an event, and what is read', async () => {
    const store: CalibrationStore = await startStore()
    const pump = pumpCalibration('media', 0.1)
    const saved = await store.save('media_pump', pump)
    expect(saved).toEqual({ device: 'media_pump', name: 'media-1', path: pumpFile('media_pump/media-1.yaml') })
    expect(readFileSync(saved.path, 'utf8')).toContain('calibration_name: media-1\n')
    expect(await store.read('media_pump', 'media-1')).toEqual(pump)
    expect(await store.list('media_pump')).toEqual([{ name: 'media-1', artifact: pump, problem: null }])
    expect(await store.active('media_pump')).toBeNull()
    expect(said('system/u1/calibrations/media_pump/media-1')).toMatchObject({ artifact: pump, problem: null })
    expect(topics()).toEqual(['system/u1/calibrations/media_pump/media-1'])
  })

  test('that is sent as text is stored as it was sent', async () => {
    const store = await startStore()
    const text = `# by hand\n${OD_FILE}colour: red\n`
    const { path } = await store.saveData('od90', text, { activate: true })
    expect(readFileSync(path, 'utf8')).toBe(text)
    expect(said(FILE)).toMatchObject({ text, artifact: OD_JSON })
    expect(await store.active('od90')).toEqual(OD_JSON)
    expect(said(ACTIVE)).toMatchObject({ name: 'demo-od90', previous: null, cause: 'order' })
    expect(topics()).toEqual([FILE, ACTIVE])
  })

  test('is activated in place of another one, deactivated, and removed with its activation', async () => {
    const store = await startStore()
    await store.save('od90', calibrationOfVial(), { activate: true })
    await store.saveData('od90', OD_FILE, {})
    await store.activate('od90', 'demo-od90')
    expect(said(ACTIVE)).toMatchObject({ name: 'demo-od90', previous: 'vial' })
    expect(await store.activeName('od90')).toBe('demo-od90')
    await store.deactivate('od90')
    await store.deactivate('od90')
    await store.deactivate('unheard of')
    expect(said(ACTIVE)).toMatchObject({ name: null, previous: 'demo-od90' })
    await store.activate('od90', 'demo-od90')
    await store.delete('od90', 'demo-od90')
    expect([said(FILE), said(ACTIVE)]).toEqual([null, expect.objectContaining({ name: null })])
    expect(await store.activeName('od90')).toBeNull()
    expect(existsSync(pumpFile('od90'))).toBe(true)
    expect(topics().filter((topic) => topic === ACTIVE)).toHaveLength(5)
  })

  test('that does not exist is neither activated, nor removed, nor read', async () => {
    const store = await startStore()
    await store.save('od90', calibrationOfVial(), { activate: true })
    const before = topics().length
    for (const call of ['activate', 'delete', 'read'] as const) {
      await expect(store[call]('od90', 'x')).rejects.toMatchObject({
        code: 'calibration.unknown',
        message: expect.stringContaining("'x' of od90"),
      })
    }
    expect(await store.activeName('od90')).toBe('vial')
    expect(topics()).toHaveLength(before)
  })

  test.each(['..', '.hidden', '-x', 'a/b', 'a  b', 'a ', 'é', '', 'x'.repeat(256)])(
    'cannot be called or belong to %j, and nothing is touched',
    async (name) => {
      const store = await startStore()
      const calls = [
        () => store.save(name, calibrationOfVial()),
        () => store.save('od90', { ...calibrationOfVial(), calibration_name: name }),
        () => store.activate('od90', name),
        () => store.activate(name, 'vial'),
        () => store.delete('od90', name),
        () => store.deactivate(name),
        () => store.read(name, 'x'),
        () => store.list(name),
      ]
      for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'artifact.invalid_name' })
      expect(topics()).toEqual([])
    },
  )

  test.each(['od-cal 2026.1', 'media-pump_2.1', '_x', 'x'.repeat(250)])('can be called %s', async (name) => {
    const store = await startStore()
    await store.save('od90', { ...calibrationOfVial(), calibration_name: name })
    expect((await store.list('od90')).map((one) => one.name)).toEqual([name])
  })

  test.each([
    ['is none', 'calibration_type: od600\n', 'created_at'],
    ['is of a type that nobody knows', OD_FILE.replace('od600', 'od999'), 'od999'],
    ['has a curve that is none', OD_FILE.replace('    - 0.2\n', ''), 'Invalid spline format'],
    ['has knots in disorder', OD_FILE.replace('  - 0.0\n  - 1.0', '  - 1.0\n  - 0.0'), 'strictly increasing'],
  ])('that %s is not stored', async (_, text, reason) => {
    const store = await startStore()
    const refused = store.saveData('od90', text, { activate: true })
    await expect(refused).rejects.toMatchObject({
      code: 'calibration.invalid',
      details: { cause: expect.stringContaining(reason) },
    })
    expect([await store.list('od90'), await store.activeName('od90'), topics()]).toEqual([[], null, []])
  })

  test('whose file would be larger than what is read is not stored', async () => {
    const store = await startStore()
    const x = new Array(12_000).fill(0)
    await expect(store.save('od90', { ...calibrationOfVial(), recorded_data: { x, y: x } })).rejects.toMatchObject({
      code: 'calibration.invalid',
      details: { cause: 'It is larger than 40000 bytes.' },
    })
    expect(topics()).toEqual([])
  })

  test('that cannot be written leaves everything as it was', async () => {
    const store = await startStore()
    put('calibrations/od90', 'a file where the folder should be')
    await expect(store.save('od90', calibrationOfVial(), { activate: true })).rejects.toMatchObject({
      code: 'artifact.not_written',
    })
    expect([await store.activeName('od90'), topics()]).toEqual([null, []])
  })
})

describe('what was changed by hand', () => {
  test('is told at the start: new files, other ones, and those that are gone', async () => {
    const first = await startStore()
    await first.saveData('od90', OD_FILE, { activate: true })
    await first.save('media_pump', pumpCalibration('media', 0.1))
    await startStore()
    expect(topics()).toEqual([])
    put('calibrations/od90/demo-od90.yaml', OD_FILE.replace('80.0', '70.0'))
    put('calibrations/od45/other.yaml', OD_FILE)
    unlinkSync(pumpFile('media_pump/media-1.yaml'))
    await startStore()
    expect(topics().sort()).toEqual(
      [FILE, 'system/u1/calibrations/od45/other', 'system/u1/calibrations/media_pump/media-1'].sort(),
    )
    expect(said(FILE)).toMatchObject({ artifact: { ir_led_intensity: 70 } })
    expect(said('system/u1/calibrations/media_pump/media-1')).toBeNull()
  })

  test('is told when it is used', async () => {
    const store = await startStore()
    await store.saveData('od90', OD_FILE, { activate: true })
    put('calibrations/od90/demo-od90.yaml', OD_FILE.replace('80.0', '70.0'))
    expect(await store.active('od90')).toMatchObject({ ir_led_intensity: 70 })
    await store.notice()
    expect(said(FILE)).toMatchObject({ artifact: { ir_led_intensity: 70 } })
  })

  test('that another program made active is found, and told as found', async () => {
    const store = await startStore()
    await store.saveData('od90', OD_FILE, {})
    const database = new Database(join(home, 'storage/local_persistent_pioreactor_metadata.sqlite'))
    database.exec('CREATE TABLE IF NOT EXISTS cache_active_calibrations (key _key_BLOB PRIMARY KEY, value BLOB)')
    database.prepare('INSERT INTO cache_active_calibrations VALUES (?, ?)').run('od90', 'demo-od90')
    database.close()
    expect(await store.active('od90')).toEqual(OD_JSON)
    await store.notice()
    expect(said(ACTIVE)).toMatchObject({ name: 'demo-od90', cause: 'file' })
  })

  test('and cannot be read costs itself only', async () => {
    put('calibrations/od90/broken.yaml', 'calibration_type: [')
    put('calibrations/od90/bytes.yaml', Buffer.from([0xff, 0xfe, 0x00]))
    put('calibrations/od90/huge.yaml', 'x'.repeat(300_000))
    put('calibrations/od90/demo-od90.yaml')
    put('calibrations/od90/.hidden.yaml')
    put('calibrations/od90/notes.txt')
    const store = await startStore()
    expect((await store.list('od90')).map(({ name, problem }) => [name, problem === null])).toEqual([
      ['broken', false],
      ['bytes', false],
      ['demo-od90', true],
      ['huge', false],
    ])
    expect(said('system/u1/calibrations/od90/broken')).toMatchObject({
      text: 'calibration_type: [',
      artifact: null,
      problem: expect.any(String),
    })
    expect(said('system/u1/calibrations/od90/huge')).toMatchObject({
      text: null,
      problem: expect.stringContaining('300000'),
    })
    await store.activate('od90', 'broken')
    await expect(store.active('od90')).rejects.toMatchObject({ code: 'calibration.unreadable' })
    expect(topics()).toHaveLength(5)
  })

  test('and leads out of the folder is not followed', async () => {
    const outside = temporaryDirectory()
    writeFileSync(join(outside, 'secret.yaml'), OD_FILE)
    mkdirSync(pumpFile('od90'), { recursive: true })
    symlinkSync(join(outside, 'secret.yaml'), pumpFile('od90/secret.yaml'))
    symlinkSync(outside, pumpFile('od45'))
    const store = await startStore()
    expect([await store.list('od90'), await store.list('od45'), topics()]).toEqual([[], [], []])
    await expect(store.activate('od90', 'secret')).rejects.toMatchObject({ code: 'calibration.unknown' })
    await expect(store.save('od45', calibrationOfVial())).rejects.toMatchObject({ code: 'artifact.not_written' })
    expect(existsSync(join(outside, 'vial.yaml'))).toBe(false)
  })

  test('into a store that is none is an error for who asks, and the start goes on', async () => {
    put('local_persistent_pioreactor_metadata.sqlite', 'this is no database, only some text that somebody left here')
    put('calibrations/od90/demo-od90.yaml')
    const store = await startStore()
    expect(said(FILE)).toMatchObject({ artifact: OD_JSON })
    await expect(store.active('od90')).rejects.toMatchObject({ code: 'artifact.not_written' })
  })

  test('of a type that nobody here knows is told whole, and no job uses it', async () => {
    put('calibrations/co2/c1.yaml', 'calibration_type: co2\ncalibration_name: c1\nppm: 400\n')
    const store = await startStore()
    await store.activate('co2', 'c1')
    expect(said('system/u1/calibrations/co2/c1')).toMatchObject({ artifact: { ppm: 400 }, problem: null })
    await expect(store.active('co2')).rejects.toThrow('co2')
  })
})

test('a calibration in use whose file is gone says so', async () => {
  const store = await startStore()
  const { path } = await store.saveData('od90', OD_FILE, { activate: true })
  rmSync(path)
  await expect(store.active('od90')).rejects.toThrow("'demo-od90' of od90 cannot be used: its file is missing")
})

test('what the broker does not take is told later', async () => {
  const store = await startStore()
  broker.setConnected(false)
  await expect(store.saveData('od90', OD_FILE, {})).rejects.toThrow()
  broker.setConnected(true)
  await store.notice()
  expect(said(FILE)).toMatchObject({ artifact: OD_JSON })
})

test('estimators are stored in the same way', async () => {
  const store = new ArtifactFileStore(ESTIMATOR, deps())
  await store.start([])
  const seam: EstimatorStore = store
  await seam.save('od_fused', estimatorOfVial(), { activate: true })
  expect(await seam.active('od_fused')).toEqual(estimatorOfVial())
  expect(said('system/u1/estimators/od_fused/vial')).toMatchObject({ artifact: { estimator_name: 'vial' } })
  expect(said('system/u1/active_estimators/od_fused')).toMatchObject({ name: 'vial' })
  await store
    .saveData('od_fused', FUSED_FILE.replace("angles: ['45']", "angles: ['45', '90']"), {})
    .catch((error: unknown) => {
      expect(error).toMatchObject({ details: { cause: 'Angle 90 has no curves.' } })
    })
  expect(await store.list('od_fused')).toHaveLength(1)
})
