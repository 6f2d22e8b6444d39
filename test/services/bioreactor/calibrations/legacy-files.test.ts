import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { ActivePointers } from '../../../../services/bioreactor/calibrations/active-pointers.js'
import { openStores } from '../../../../services/bioreactor/calibrations/artifact-service.js'
import { OD_FILE, OD_JSON, putFile } from '../../../support/calibration-files.js'
import { FakeClock } from '../../../support/fake-clock.js'
import { MemoryBroker } from '../../../support/memory-bus.js'
import { silentLogger } from '../../../support/silent-logger.js'
import { temporaryDirectory } from '../../../support/temporary-directory.js'

let home: string
let broker: MemoryBroker
beforeEach(() => {
  home = temporaryDirectory()
  broker = new MemoryBroker()
})

const put = (path: string, text: string = OD_FILE): string => putFile(home, path, text)
const stored = (path: string): string => join(home, 'storage/calibrations', path)

describe('files of an older Pioreactor', () => {
  const old = (curve: string): string => OD_FILE.replace(/curve_data_:\n[\s\S]*?(?=x: OD600)/, curve)
  const POLY = old('curve_data_: [0.2, 0.01]\ncurve_type: poly\n')
  const open = () =>
    openStores(
      { unit: 'u1', bus: broker.connect(), clock: new FakeClock(), logger: silentLogger, dotPioreactor: home },
      [],
    )

  test.each([
    ['numbers', POLY, { type: 'poly', coefficients: [0.2, 0.01] }],
    ['numbers alone', old('curve_data_: [0.2, 0.01]\n'), { type: 'poly', coefficients: [0.2, 0.01] }],
    [
      'knots and rows',
      old('curve_data_: [[0.0, 1.0], [[0.01, 0.2, 0.0, 0.0]]]\ncurve_type: spline\n'),
      OD_JSON.curve_data_,
    ],
  ])('with a curve of %s are brought into the form of today; the old one stays beside it', async (_, text, curve) => {
    put('calibrations/od90/demo-od90.yaml', `${text}colour: red\n`)
    const { calibrations } = await open()
    expect(await calibrations.read('od90', 'demo-od90')).toEqual({ ...OD_JSON, curve_data_: curve })
    expect(readFileSync(stored('od90/demo-od90.yaml'), 'utf8')).toContain('colour: red')
    expect(readFileSync(stored('od90/demo-od90.yaml.old'), 'utf8')).toBe(`${text}colour: red\n`)
    expect(broker.retained.get('system/u1/calibrations/od90/demo-od90')?.toString()).toContain('"problem":null')
  })

  test('of optical density move to the device of their angle, and what is in use with them', async () => {
    put('calibrations/od/demo-od90.yaml', POLY)
    put('calibrations/od/other.yaml', OD_FILE.replace("angle: '90'", "angle: '45'"))
    new ActivePointers(home, 'active_calibrations').set('od', 'demo-od90')
    const { calibrations } = await open()
    expect(await calibrations.active('od90')).toMatchObject({
      calibration_name: 'demo-od90',
      curve_data_: { type: 'poly' },
    })
    expect(await calibrations.activeName('od')).toBeNull()
    expect([await calibrations.list('od'), (await calibrations.list('od45')).length]).toEqual([[], 1])
    const { calibrations: again } = await open()
    expect(await again.activeName('od90')).toBe('demo-od90')
  })

  test('do not take the place of one that is there', async () => {
    put('calibrations/od/demo-od90.yaml', POLY)
    put('calibrations/od90/demo-od90.yaml')
    const { calibrations } = await open()
    expect(await calibrations.read('od90', 'demo-od90')).toEqual(OD_JSON)
    expect(readFileSync(stored('od/demo-od90.yaml'), 'utf8')).toBe(POLY)
  })

  test('that are of no version stay as they are', async () => {
    put('calibrations/od90/demo-od90.yaml', old('curve_data_: [[1.0]]\ncurve_type: spline\n'))
    const { calibrations } = await open()
    expect(await calibrations.list('od90')).toMatchObject([{ problem: expect.stringContaining('curve_data_') }])
    expect(existsSync(stored('od90/demo-od90.yaml.old'))).toBe(false)
  })
})
