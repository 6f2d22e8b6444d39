import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openStores } from '../../../../services/bioreactor/calibrations/artifact-service.js'
import { answerCommands } from '../../../../services/runtime/answer-commands.js'
import { FUSED_FILE, OD_FILE, OD_JSON, putFile } from '../../../support/calibration-files.js'
import { rawRequest } from '../../../support/raw-request.js'
import { temporaryDirectory } from '../../../support/temporary-directory.js'
import { readZip } from '../../support/read-zip.js'
import { startTestGateway, type TestGateway } from '../../support/start-test-gateway.js'

let home: string
let gateway: TestGateway

/** The gateway, and the stores that carry out its orders in files; what they publish is recorded and folded. */
async function start(): Promise<void> {
  gateway = await startTestGateway()
  const { clock, broker, deps } = gateway
  const bus = { publish: async (topic: string, payload: string | Uint8Array) => gateway.given({ topic, payload }) }
  const context = { unit: 'u1', clock, logger: deps.logger }
  const { answers } = await openStores({ ...context, bus, dotPioreactor: home }, [])
  const find = (name: string) => answers.find(({ command }) => command.name === name)
  await answerCommands(find, { ...context, bus: broker.connect() })
}

beforeEach(() => {
  home = temporaryDirectory()
})
afterEach(() => gateway.stop())

const put = (path: string, text: string | Uint8Array = OD_FILE): string => putFile(home, path, text)
const od = (name: string): string => OD_FILE.replace('demo-od90', name)
const stored = (path: string): string => join(home, 'storage/calibrations', path)
const post = (device: string, body: unknown) => gateway.send('POST', `/unit_api/calibrations/${device}`, body)
const api = (method: string, path: string) => gateway.send(method, `/unit_api/${path}`)
const served = (changes: object = {}) => ({ ...OD_JSON, is_active: false, pioreactor_unit: 'u1', ...changes })

describe('calibrations', () => {
  test('are none at first', async () => {
    await start()
    const { status, json, headers } = await api('GET', 'calibrations')
    expect([status, json, headers.get('cache-control')]).toEqual([200, {}, 'public, max-age=10'])
    expect((await api('GET', 'active_calibrations')).json).toEqual({})
    expect(await api('GET', 'calibrations/od90')).toMatchObject({ status: 404 })
    const zip = await fetch(`${gateway.base}/unit_api/zipped_calibrations`)
    expect(readZip(Buffer.from(await zip.arrayBuffer()))).toEqual([])
  })

  test('are drawn with their points and their curve', async () => {
    put('calibrations/od90/a.yaml', od('a'))
    put('calibrations/od90/broken.yaml', 'nothing')
    await start()
    const drawn = await fetch(`${gateway.base}/unit_api/calibrations/od90/a/plot.png`)
    expect([drawn.status, drawn.headers.get('content-type')]).toEqual([200, 'image/png'])
    const image = Buffer.from(await drawn.arrayBuffer())
    expect(image.subarray(1, 4).toString()).toBe('PNG')
    expect(image.length).toBeGreaterThan(10_000)
    expect((await api('GET', 'calibrations/od90/none/plot.png')).status).toBe(404)
    expect((await api('GET', 'calibrations/od90/broken/plot.png')).status).toBe(500)
    expect((await api('GET', 'calibrations/od90/.a/plot.png')).status).toBe(400)
  })

  test('are listed by device and path, each with what is in use; those that cannot be read are left out', async () => {
    put('calibrations/od90/b.yaml', od('b'))
    put('calibrations/od90/a b.yaml', od('a b'))
    put('calibrations/od90/a.yaml', od('a'))
    put('calibrations/od90/broken.yaml', 'nothing')
    put('calibrations/empty/broken.yaml', 'nothing')
    await start()
    await api('PATCH', 'active_calibrations/od90/a%20b')
    const all = ['a b', 'a', 'b'].map((name) => served({ calibration_name: name, is_active: name === 'a b' }))
    expect((await api('GET', 'calibrations')).json).toEqual({ od90: all })
    expect((await api('GET', 'calibrations/od90')).json).toEqual(all)
    expect((await api('GET', 'calibrations/empty')).json).toEqual([])
    expect((await api('GET', 'calibrations/od90/b')).json).toEqual(all[2])
    expect((await api('GET', 'active_calibrations')).json).toEqual({ od90: all[0] })
    expect(await api('GET', 'calibrations/od90/c')).toMatchObject({ status: 404, json: { status: 404 } })
    expect(await api('GET', 'calibrations/od90/broken')).toMatchObject({
      status: 500,
      json: { status: 500, cause: expect.stringContaining('YAML mapping') },
    })
  })

  test('come in the key order that clients know', async () => {
    put('calibrations/od90/demo-od90.yaml')
    await start()
    const { json } = await api('GET', 'calibrations/od90/demo-od90')
    expect(Object.keys(json as object)).toEqual([...Object.keys(OD_JSON), 'is_active', 'pioreactor_unit'])
  })

  test('are stored as text verbatim, and are active only when asked to be', async () => {
    await start()
    const text = `# mine\n${OD_FILE}colour: red\n`
    const { status, json } = await post('od90', { calibration_data: text })
    expect([status, json]).toEqual([201, { msg: expect.any(String), path: stored('od90/demo-od90.yaml') }])
    expect(readFileSync(stored('od90/demo-od90.yaml'), 'utf8')).toBe(text)
    expect((await api('GET', 'calibrations/od90')).json).toEqual([served()])
    await post('od90', { calibration_data: text, set_as_active: true })
    expect((await api('GET', 'active_calibrations')).json).toEqual({ od90: served({ is_active: true }) })
  })

  test('are stored from fields too', async () => {
    await start()
    expect(
      (await post('media-pump_2.1', { calibration_data: { ...OD_JSON, calibration_name: 'reference 2.1' } })).status,
    ).toBe(201)
    expect(readFileSync(stored('media-pump_2.1/reference 2.1.yaml'), 'utf8')).toBe(od('reference 2.1'))
  })

  test.each([
    ['{', 'Invalid request body.'],
    [{}, 'Invalid request body.'],
    [{ calibration_data: 12 }, 'Invalid request body.'],
    [{ calibration_data: OD_FILE, set_as_active: 'yes' }, 'Invalid request body.'],
    [{ calibration_data: 'a: [' }, 'This is no calibration that can be stored.'],
    [{ calibration_data: OD_FILE.replace('od600', 'od601') }, 'This is no calibration that can be stored.'],
    [{ calibration_data: { ...OD_JSON, angle: 90 } }, 'This is no calibration that can be stored.'],
    [{ calibration_data: od('..') }, "Missing or invalid 'calibration_name'."],
  ])('%j is 400, and nothing is stored', async (body, error) => {
    await start()
    expect(await post('od90', body)).toMatchObject({ status: 400, json: { error, remediation: expect.any(String) } })
    expect(existsSync(stored('od90'))).toBe(false)
  })

  test('that cannot be written are 500, and what is in use stays', async () => {
    put('calibrations/od90', 'a file where the folder should be')
    await start()
    const answer = await post('od90', { calibration_data: OD_FILE, set_as_active: true })
    expect(answer).toMatchObject({ status: 500, json: { status: 500, cause: expect.stringContaining('EEXIST') } })
    expect((await api('GET', 'active_calibrations')).json).toEqual({})
  })

  test('are deleted with their activation', async () => {
    await start()
    await post('od90', { calibration_data: OD_FILE, set_as_active: true })
    expect(await api('DELETE', 'calibrations/od90/demo-od90')).toMatchObject({
      status: 200,
      json: { msg: expect.any(String) },
    })
    expect((await api('GET', 'calibrations/od90')).json).toEqual([])
    expect((await api('GET', 'active_calibrations')).json).toEqual({})
    expect((await api('DELETE', 'calibrations/od90/demo-od90')).status).toBe(404)
  })

  test('in use are replaced and cleared; one that does not exist changes nothing', async () => {
    await start()
    for (const name of ['a', 'b']) await post('od90', { calibration_data: od(name) })
    const inUse = async () =>
      Object.values((await api('GET', 'active_calibrations')).json as object).map((one) => one.calibration_name)
    expect(await api('PATCH', 'active_calibrations/od90/a')).toMatchObject({ status: 200, json: { status: 'success' } })
    await api('PATCH', 'active_calibrations/od90/b')
    expect(await inUse()).toEqual(['b'])
    expect(await api('PATCH', 'active_calibrations/od90/missing')).toMatchObject({
      status: 404,
      json: {
        error: "There is no calibration 'missing' of od90.",
        cause: 'The file od90/missing.yaml does not exist.',
        remediation: expect.any(String),
      },
    })
    expect(await inUse()).toEqual(['b'])
    for (const device of ['od90', 'od90', 'unheard-of']) {
      expect(await api('DELETE', `active_calibrations/${device}`)).toMatchObject({
        status: 200,
        json: { status: 'success' },
      })
    }
    expect(await inUse()).toEqual([])
  })

  test('are downloaded as they are on disk, sorted, broken ones included', async () => {
    put('calibrations/od90/broken.yaml', 'nothing: [')
    put('calibrations/od90/demo-od90.yaml', `# mine\n${OD_FILE}`)
    put('calibrations/od45/é.yaml')
    put('calibrations/media_pump/demo-od90.yaml')
    await start()
    const answer = await fetch(`${gateway.base}/unit_api/zipped_calibrations`)
    expect(['content-type', 'content-disposition', 'cache-control'].map((name) => answer.headers.get(name))).toEqual([
      'application/zip',
      'attachment; filename=u1_calibrations.zip',
      'no-cache',
    ])
    const entries = readZip(Buffer.from(await answer.arrayBuffer()))
    expect(entries.map(({ name, content }) => [name, content.toString()])).toEqual([
      ['media_pump/demo-od90.yaml', OD_FILE],
      ['od90/broken.yaml', 'nothing: ['],
      ['od90/demo-od90.yaml', `# mine\n${OD_FILE}`],
    ])
    const head = await fetch(`${gateway.base}/unit_api/zipped_calibrations`, { method: 'HEAD' })
    expect(head.headers.get('content-type')).toBe('application/zip')
  })

  test('of a type that only others know are passed on whole', async () => {
    put('calibrations/co2/c1.yaml', 'calibration_type: co2\ncalibration_name: c1\nppm: {low: 400}\n')
    await start()
    expect((await api('GET', 'calibrations/co2/c1')).json).toEqual({
      ...{ calibration_type: 'co2', calibration_name: 'c1', ppm: { low: 400 } },
      ...{ is_active: false, pioreactor_unit: 'u1' },
    })
  })

  test('that were named otherwise than their file go by the file', async () => {
    put('calibrations/od90/file.yaml')
    await start()
    await api('PATCH', 'active_calibrations/od90/file')
    expect((await api('GET', 'calibrations/od90/file')).json).toEqual(served({ is_active: true }))
  })

  test('of another unit whose events are here are not ours', async () => {
    await start()
    const timestamp = '2026-01-02T03:04:05Z'
    const payload = { text: OD_FILE, artifact: OD_JSON, problem: null, timestamp }
    gateway.given({ topic: 'system/u2/calibrations/od90/demo-od90', payload })
    expect((await api('GET', 'calibrations')).json).toEqual({})
  })
})

describe('estimators', () => {
  test('are served with their device, and a device without one has none', async () => {
    put('estimators/od_fused/fusion.yaml', FUSED_FILE)
    await start()
    const fusion = {
      estimator_name: 'fusion',
      created_at: '2026-03-04T05:06:07Z',
      is_active: false,
      pioreactor_unit: 'u1',
    }
    const { json } = await api('GET', 'estimators')
    expect(json).toEqual({ od_fused: [expect.objectContaining({ ...fusion, device: 'od_fused' })] })
    expect(await api('GET', 'estimators/od_fused')).toMatchObject({ status: 200, json: [fusion] })
    expect(await api('GET', 'estimators/od_fused/fusion')).toMatchObject({ status: 200, json: fusion })
    expect(await api('GET', 'estimators/temperature_fir')).toMatchObject({ status: 200, json: [] })
    expect((await api('GET', 'active_estimators')).json).toEqual({})
  })

  test('are activated, cleared and deleted', async () => {
    put('estimators/od_fused/fusion.yaml', FUSED_FILE)
    await start()
    expect((await api('PATCH', 'active_estimators/od_fused/fusion')).json).toEqual({ status: 'success' })
    const { json } = await api('GET', 'active_estimators')
    expect(json).toMatchObject({ od_fused: { estimator_name: 'fusion', is_active: true } })
    expect(Object.keys((json as { od_fused: object }).od_fused)).not.toContain('device')
    expect((await api('DELETE', 'active_estimators/od_fused')).json).toEqual({ status: 'success' })
    expect((await api('DELETE', 'estimators/od_fused/fusion')).json).toEqual({ msg: expect.any(String) })
    for (const [method, path] of [
      ['GET', 'estimators/od_fused/fusion'],
      ['DELETE', 'estimators/od_fused/fusion'],
      ['PATCH', 'active_estimators/od_fused/fusion'],
    ] as const) {
      expect(await api(method, path)).toMatchObject({
        status: 404,
        json: { error: expect.stringContaining("'fusion' of od_fused") },
      })
    }
  })
})

const ROUTES = [
  ['GET', 's/{device}'],
  ['GET', 's/{device}/{name}'],
  ['DELETE', 's/{device}/{name}'],
  ['PATCH', 'active_s/{device}/{name}'],
  ['DELETE', 'active_s/{device}'],
] as const

test.each(['calibration', 'estimator'])(
  'the name of a device or %s is refused before anything is looked up',
  async (word) => {
    await start()
    const send = async (method: string, path: string): Promise<unknown> => {
      const { text } = await rawRequest(gateway.base, `/unit_api/${path}`, {}, method)
      return JSON.parse(text)
    }
    const refusal = (field: string, words: string) => ({
      error: `Missing or invalid '${field}'.`,
      cause: `${words} is missing or contains invalid characters.`,
      remediation: expect.any(String),
      status: 400,
    })
    const capital = word.charAt(0).toUpperCase() + word.slice(1)
    for (const name of ['%2E%2E', '.hidden', '-x', 'a%20%20b', '%C3%A9', 'a+b', 'x'.repeat(256)]) {
      for (const [method, route] of ROUTES) {
        const path = route.replace(/^(active_)?s/, `$1${word}s`)
        const wrongDevice = path.replace('{device}', name).replace('{name}', name)
        expect(await send(method, wrongDevice)).toEqual(refusal('device', 'Device'))
        if (!path.includes('{name}')) continue
        const wrongName = path.replace('{device}', 'od90').replace('{name}', name)
        expect(await send(method, wrongName)).toEqual(refusal(`${word}_name`, `${capital} name`))
      }
    }
  },
)

test('a change made while the services are away is 503, and nothing is changed', async () => {
  await start()
  await gateway.say('lost')
  expect(await post('od90', { calibration_data: OD_FILE })).toMatchObject({ status: 503 })
  expect(existsSync(stored('od90'))).toBe(false)
})
