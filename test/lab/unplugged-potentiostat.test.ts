import { afterAll, beforeAll, expect, test } from 'vitest'
import { plugDevice } from '../../simulation/bench-control.js'
import { benchOf, readOutputs } from '../support/bench-outputs.js'
import { type BoxClient, boxClient } from '../support/box-client.js'
import { createLabHome, type Lab } from '../support/start-lab.js'
import { until } from '../support/until.js'

interface Device {
  readonly slot: string
  readonly sn: string
  readonly status: string
  readonly run_id: string | null
}

const home = createLabHome()
let lab: Lab
let box: BoxClient
/** Serial number of slot01, the device that is pulled out. */
let pulled: string

const order = {
  devices: 'all',
  modes: ['CA', 'OCP'],
  params_by_mode: { CA: { potential: 0.3, duration: 6 }, OCP: { duration: 0.2 } },
  tia_gain: 1,
  experiment_name: 'Pulled',
  client_datetime: '2025-11-03T10-15-31',
  make_plot: false,
}
const devices = async () => (await box.get('/devices')).json as Device[]
const statuses = async () => (await box.get('/devices/status')).json as { slot: string; status: string }[]
const slotsOf = (list: readonly { readonly slot: string }[]) => list.map(({ slot }) => slot)
const cell = () => readOutputs(benchOf(lab.home)).cell_switches?.[pulled]

beforeAll(async () => {
  lab = await home.start()
  box = boxClient(lab.url)
  await until(async () => (await devices()).length === 2, 'two slots')
  pulled = (await devices())[0]?.sn ?? ''
}, 150_000)
afterAll(() => home.remove())

test('pulled out in a run, its slot fails truthfully with its rows; put back, it returns under its name and measures', async () => {
  const runId = await box.order(order)
  await until(async () => (await box.status(runId)).slots.every(({ samples }) => (samples ?? 0) > 0), 'samples of both')
  expect(cell()).toBe(true)
  await plugDevice(benchOf(lab.home), 'unplug', pulled)

  await until(async () => (await box.status(runId)).slots[0]?.status === 'failed', 'slot01 to fail')
  const during = await box.status(runId)
  expect(during).toMatchObject({
    status: 'running',
    slots: [{ status: 'failed' }, { status: 'running', message: null }],
  })
  expect(during.slots[0]?.message).toMatch(/connection .* (gone|closed)/)
  await until(async () => (await devices()).length === 1, 'slot01 to leave the list')
  expect(await devices()).toMatchObject([{ slot: 'slot02', status: 'busy', run_id: runId }])
  expect(await statuses()).toMatchObject([{ slot: 'slot02', status: 'running' }])
  expect((await box.get('/health')).json).toMatchObject({ devices: 1 })
  expect((await box.post('/admin/rescan')).json).toMatchObject({ devices: ['slot02'], busy: ['slot02'] })
  expect(await box.post('/jobs', { ...order, devices: ['slot01'] })).toMatchObject({
    status: 400,
    json: { code: 'jobs.invalid_devices' },
  })

  await plugDevice(benchOf(lab.home), 'replug', pulled)
  expect((await box.post('/admin/rescan')).json).toMatchObject({ devices: ['slot01', 'slot02'], busy: ['slot02'] })
  expect(cell()).toBe(false)
  expect(await devices()).toMatchObject([
    { slot: 'slot01', sn: pulled, status: 'idle', run_id: null },
    { slot: 'slot02', status: 'busy', run_id: runId },
  ])
  expect(await statuses()).toMatchObject([
    { slot: 'slot01', status: 'idle' },
    { slot: 'slot02', status: 'running' },
  ])

  const ended = await box.ended(runId)
  expect(ended).toMatchObject({ status: 'failed', slots: [{ status: 'failed' }, { status: 'done', message: null }] })
  const [failed, done] = ended.slots
  const { text } = await box.get(`/runs/${runId}/file?path=slot01/CA/Pulled_slot01_CA.csv`)
  expect(text.trimEnd().split('\r\n')).toHaveLength(1 + (failed?.samples ?? 0))
  expect(failed?.files).toEqual(['slot01/CA/Pulled_slot01_CA.csv', 'slot01/CA/Pulled_slot01_CA.json'])
  expect(done?.samples).toBe(16_666 + 555)
  const sidecar = await box.get(`/runs/${runId}/file?path=slot01/CA/Pulled_slot01_CA.json`)
  expect(sidecar.json).toMatchObject({ status: 'failed', message: failed?.message, device_serial: pulled })

  const again = await box.order({ ...order, modes: ['OCP'] })
  expect(await box.ended(again)).toMatchObject({ status: 'done' })
  expect(slotsOf((await box.status(again)).slots)).toEqual(['slot01', 'slot02'])
})

test('with every device pulled out the box says so and keeps running; what comes back is found without being asked', async () => {
  const serials = (await devices()).map(({ sn }) => sn)
  for (const serial of serials) await plugDevice(benchOf(lab.home), 'unplug', serial)
  await until(async () => (await devices()).length === 0, 'no slot')
  expect(await statuses()).toEqual([])
  expect(await box.post('/admin/rescan')).toMatchObject({ status: 200, json: { devices: [] } })
  expect(await box.post('/jobs', order)).toMatchObject({ status: 400, json: { code: 'jobs.invalid_devices' } })
  expect((await box.get('/modes')).json).toContain('CV')
  for (const serial of [...serials].reverse()) await plugDevice(benchOf(lab.home), 'replug', serial)
  await until(async () => (await devices()).length === 2, 'two slots')
  expect((await devices()).map(({ sn }) => sn)).toEqual(serials)
})
