import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { toErrorRecord } from '../../../../events/core/errors.js'
import { DeviceRecord } from '../../../../events/potentiostat/devices.js'
import { RunOrder } from '../../../../events/potentiostat/run-order.js'
import { RunProgress, type SlotState, SlotState as SlotStateSchema } from '../../../../events/potentiostat/run-state.js'
import { SampleBlock } from '../../../../events/potentiostat/samples.js'
import { violations } from '../../../../events/schema.js'
import { modes } from '../../../../services/potentiostat/modes/index.js'
import { MemoryBroker } from '../../../support/memory-bus.js'
import { type Box, PluggedPorts, startBox } from '../box.js'
import { type Device, planOf, startDevice } from '../virtual-devices.js'

let first: Device
let second: Device
let ports: PluggedPorts
let box: Box

const plug = (...devices: readonly Device[]): void => {
  ports.plugged = devices.map(({ path, serial }) => ({ path, serialNumber: serial }))
}
beforeEach(async () => {
  first = await startDevice({ serial: 'AAAAAAAAAAAA' })
  second = await startDevice({ serial: 'BBBBBBBBBBBB' })
  ports = new PluggedPorts()
  plug(first, second)
  box = await startBox(ports)
})
afterEach(async () => {
  await box.service.stop()
  await first.dispose()
  await second.dispose()
})

const CA = { modes: ['CA'], params_by_mode: { CA: { potential: 0.3, duration: 0.2 } } }
const LONG = { modes: ['CA'], params_by_mode: { CA: { potential: 0.3, duration: 30 } } }
const code = async (asked: Promise<unknown>): Promise<unknown> =>
  asked.then(
    () => 'accepted',
    (error: { readonly code?: unknown }) => error.code,
  )
const sampling = (runId: string, slot: string): Promise<unknown> =>
  Promise.race([
    box.heard(`potentiostat/A/${runId}/${slot}/samples`, () => true),
    box.ended(runId, slot).then(({ message }) => Promise.reject(new Error(`ended before a sample came: ${message}`))),
  ])
const rows = (runId: string, slot: string): number =>
  box.blocks(runId, slot).reduce((sum, block) => sum + block.current.length, 0)

describe('start', () => {
  test('modes are announced in order, devices under the slot of their serial number', () => {
    const announced = box.broker.published.filter(({ topic }) => topic.startsWith('system/u1/capabilities/modes/'))
    expect(announced.map(({ topic }) => topic.split('/').at(-1))).toEqual(modes.map((mode) => mode.declaration.mode))
    expect(announced.every(({ retain }) => retain)).toBe(true)
    const record = JSON.parse(box.broker.payloads('potentiostat/A/$devices/slot02').at(-1) ?? '')
    expect(violations(DeviceRecord, record)).toEqual([])
    expect(record).toMatchObject({ slot: 'slot02', sn: 'BBBBBBBBBBBB', connected: true, run_id: null })
  })

  test('a slot keeps its serial number across restarts, whatever is found first', async () => {
    await box.service.stop()
    plug(second)
    box = await startBox(ports, box.broker)
    const record = JSON.parse(box.broker.payloads('potentiostat/A/$devices/slot02').at(-1) ?? '')
    expect(record).toMatchObject({ sn: 'BBBBBBBBBBBB', connected: true })
    await expect(box.rescan()).resolves.toMatchObject({ devices: ['slot02'] })
  })

  test('a run that an earlier process left unfinished is marked failed with a reason', async () => {
    const broker = new MemoryBroker()
    await box.start({ ...LONG, devices: ['slot01'] })
    await sampling('r1', 'slot01')
    for (const [topic, payload] of box.broker.retained) broker.retained.set(topic, payload)
    const reborn = await startBox(new PluggedPorts(), broker)
    const state = await reborn.ended('r1', 'slot01')
    expect(state).toMatchObject({ status: 'failed', message: expect.stringContaining('Interrupted') })
    expect(await code(reborn.start({ ...CA, run_id: 'r1' }))).not.toBe('accepted')
    await reborn.service.stop()
  })
})

describe('a run', () => {
  test('measures its modes in sequence on all slots and ends with every row, progress complete', async () => {
    const params = { CA: CA.params_by_mode.CA, OCP: { duration: 0.15 } }
    await box.start({ modes: ['CA', 'OCP'], params_by_mode: params })
    const order = JSON.parse(box.broker.payloads('potentiostat/A/r1/order')[0] ?? '')
    expect(violations(RunOrder, order)).toEqual([])
    for (const slot of ['slot01', 'slot02']) {
      const state = await box.ended('r1', slot)
      expect(violations(SlotStateSchema, state)).toEqual([])
      expect(state).toMatchObject({ status: 'done', message: null, device_sn: expect.any(String) })
      expect(state.reports.map((report) => report.rows)).toEqual(order.modes.map((mode: { rows: number }) => mode.rows))
      const blocks = box.blocks('r1', slot)
      expect(blocks.flatMap((block) => violations(SampleBlock, block))).toEqual([])
      let expected = 0
      for (const block of blocks.filter(({ mode_index }) => mode_index === 0)) {
        expect(block.first).toBe(expected)
        expected += block.current.length
      }
      expect(expected).toBe(planOf('CA', params.CA).samples)
    }
    const last = await box.heard('potentiostat/A/r1/progress', (text) => JSON.parse(text).progress_pct === 100)
    expect(violations(RunProgress, JSON.parse(last))).toEqual([])
    const percents = box.progress('r1').map(({ progress_pct }) => progress_pct)
    expect(percents).toEqual([...percents].sort((a, b) => a - b))
  })

  test('averages to the sampling interval and flushes the last partial group', async () => {
    await box.start({ ...CA, devices: ['slot01'], sampling_interval: 0.05 })
    const { status } = await box.ended('r1', 'slot01')
    expect(status).toBe('done')
    expect(rows('r1', 'slot01')).toBe(Math.ceil(555 / 139))
    expect(box.blocks('r1', 'slot01').map(({ first_sample }) => first_sample)[1]).toBe(278)
  })

  test('cancelling opens the cell, keeps the rows and frees the slot', async () => {
    await box.start({ ...LONG, devices: ['slot01'] })
    await sampling('r1', 'slot01')
    await box.cancel('r1')
    expect(await box.ended('r1', 'slot01')).toMatchObject({ status: 'cancelled', message: 'cancelled' })
    expect(first.device.cellSwitchClosed).toBe(false)
    expect(rows('r1', 'slot01')).toBeGreaterThan(0)
    expect(await code(box.start({ ...CA, run_id: 'r2', devices: ['slot01'] }))).toBe('accepted')
    expect((await box.ended('r2', 'slot01')).status).toBe('done')
  })

  test('a device that no longer answers does not delay the cancel, and its slot fails', async () => {
    await box.start({ ...LONG, devices: ['slot01'] })
    await sampling('r1', 'slot01')
    first.setFaults({ stuckAfter: 0 })
    await box.cancel('r1')
    const told = box.broker.payloads('potentiostat/A/r1/slot01/state').map((text) => JSON.parse(text) as SlotState)
    expect(told.at(-1)?.status).toBe('running')
    expect(await box.ended('r1', 'slot01')).toMatchObject({
      status: 'failed',
      message: expect.stringContaining('did not confirm an open cell switch'),
    })
  })

  test('a device that answers but never comes to rest is left behind when the service stops', async () => {
    await box.start({ ...LONG, devices: ['slot01'] })
    await sampling('r1', 'slot01')
    first.halt(60_000)
    await box.service.stop()
    expect(first.device.cellSwitchClosed).toBe(false)
    expect(await box.ended('r1', 'slot01')).toMatchObject({ status: 'failed' })
  })

  test('suspension stops measuring at once and says why', async () => {
    await box.start({ ...LONG, devices: ['slot01'] })
    await sampling('r1', 'slot01')
    await box.service.suspend('the disk is full')
    expect(first.device.cellSwitchClosed).toBe(false)
    expect(await box.ended('r1', 'slot01')).toMatchObject({
      status: 'failed',
      message: expect.stringContaining('the disk is full'),
    })
    expect(await code(box.start({ ...CA, run_id: 'r2' }))).toBe('services.suspended')
    await box.service.resume()
    expect(await code(box.start({ ...CA, run_id: 'r2' }))).toBe('accepted')
  })

  test('unplugged, it fails truthfully while the other slot goes on; replugged, the slot is back under its name', async () => {
    await box.start({ ...LONG, devices: ['slot01'] })
    await sampling('r1', 'slot01')
    await box.start({ ...CA, run_id: 'r2', devices: ['slot02'] })
    plug(second)
    await first.unplug()
    expect(await box.ended('r1', 'slot01')).toMatchObject({ status: 'failed' })
    const record = box.broker.payloads('potentiostat/A/$devices/slot01').at(-1) ?? ''
    expect(JSON.parse(record)).toMatchObject({ connected: false, run_id: null })
    expect(await code(box.start({ ...CA, run_id: 'r3', devices: ['slot01'] }))).toBe('jobs.invalid_devices')
    await expect(box.rescan()).resolves.toMatchObject({ devices: ['slot02'] })
    await first.replug()
    plug(second, first)
    await expect(box.rescan()).resolves.toMatchObject({ devices: ['slot01', 'slot02'] })
    expect(first.device.cellSwitchClosed).toBe(false)
    const other: SlotState = await box.ended('r2', 'slot02')
    expect(other).toMatchObject({ status: 'done', message: null })
    expect(rows('r2', 'slot02')).toBe(planOf('CA', CA.params_by_mode.CA).samples)
  })
})

describe('an order is refused before anything moves', () => {
  test.each([
    [{ modes: ['CV'], params_by_mode: { CV: { start: 0 } } }, 'jobs.invalid_params'],
    [{ modes: ['XYZ'] }, 'jobs.invalid_params'],
    [{ ...CA, tia_gain: 9 }, 'jobs.invalid_params'],
    [{ ...CA, sampling_interval: 0 }, 'jobs.invalid_params'],
    [{ ...CA, devices: ['slot01', 'slot09'] }, 'jobs.invalid_devices'],
    [{ ...CA, devices: ['slot01', 'slot01'] }, 'jobs.invalid_request'],
    [{ ...CA, devices: [] }, 'jobs.invalid_devices'],
    [{ ...CA, run_id: '../r1/x' }, 'jobs.invalid_name'],
    [{ ...CA, run_id: '.hidden' }, 'jobs.invalid_name'],
    [{ ...CA, run_id: '' }, 'jobs.invalid_name'],
    [{ ...CA, experiment_name: '..' }, 'jobs.invalid_name'],
    [{ ...CA, client_datetime: '--' }, 'jobs.invalid_name'],
    [{ ...CA, subdir: 'テスト' }, 'jobs.invalid_name'],
    [{ ...CA, devices: ['slot09'], experiment_name: '' }, 'jobs.invalid_devices'],
    [{ modes: ['XYZ'], experiment_name: '' }, 'jobs.invalid_name'],
    [{ modes: ['CP'], params_by_mode: { CP: { current: 1e-3, duration: 1 } }, tia_gain: 3 }, 'jobs.invalid_params'],
  ])('%j: %s', async (order, expected) => {
    expect(await code(box.start(order))).toBe(expected)
    expect(box.broker.published.filter(({ topic }) => topic.includes('/r1/'))).toEqual([])
  })

  test('all problems of all modes are reported together', async () => {
    const order = { modes: ['CA', 'OCP'], params_by_mode: { CA: {}, OCP: { duration: -1 } }, tia_gain: 7 }
    const error = (await box.start(order).catch((thrown: unknown) => thrown)) as { details: { errors: unknown[] } }
    expect(error.details.errors).toHaveLength(4)
  })

  test.each([
    ['many wrong values', ['PSTEP'], Array(10_000).fill(20)],
    ['many modes', Array(101).fill('PSTEP'), [0.1]],
    ['long lists in many modes', Array(50).fill('PSTEP'), Array(5000).fill(0.1)],
  ])('%s: what is said of it, and what would be recorded, fits into a message', async (_what, modes, potentials) => {
    const order = { modes, params_by_mode: { PSTEP: { potentials, step_duration: 0.001 } } }
    const refusal = toErrorRecord(await box.start(order).catch((error: unknown) => error))
    expect(refusal.code).toBe('jobs.invalid_params')
    expect(refusal.details?.['errors']).not.toHaveLength(0)
    expect(JSON.stringify(refusal).length).toBeLessThan(100_000)
    expect(box.broker.published.filter(({ topic }) => topic.startsWith('potentiostat/A/r1/'))).toEqual([])
  })

  test('an interval that leaves few rows is warned of, for each mode it is so for', async () => {
    const modes = { CA: { potential: 0.1, duration: 0.05 }, OCP: { duration: 0.2 } }
    await box.start({ devices: ['slot01'], modes: ['CA', 'OCP'], params_by_mode: modes, sampling_interval: 0.01 })
    const { warnings } = JSON.parse(box.broker.payloads('potentiostat/A/r1/order')[0] ?? '') as RunOrder
    const message = "sampling_interval is 0.01 s, above a tenth of the measurement's 0.0497 s: it gets 5 rows."
    expect(warnings).toEqual([{ code: 'high_value', message, mode_index: 0 }])
    await box.ended('r1', 'slot01')
  })

  test('of many warnings the first are kept and the others counted', async () => {
    const params_by_mode = { PSTEP: { potentials: Array(5000).fill(5), step_duration: 0.00036 } }
    await box.start({ devices: ['slot01'], modes: ['PSTEP'], params_by_mode })
    const { warnings } = JSON.parse(box.broker.payloads('potentiostat/A/r1/order')[0] ?? '') as RunOrder
    expect(warnings).toHaveLength(101)
    expect(warnings.at(-1)).toMatchObject({ message: 'There are 4902 more warnings.' })
    await box.ended('r1', 'slot01')
  })

  test('busy slots and known run ids', async () => {
    await box.start({ ...LONG, devices: ['slot01'] })
    expect(await code(box.start({ ...CA, run_id: 'r2', devices: ['slot01', 'slot02'] }))).toBe('jobs.slots_busy')
    expect(await code(box.start({ ...CA, devices: ['slot02'] }))).toBe('jobs.run_id_conflict')
    expect(await code(box.cancel('nobody'))).toBe('jobs.not_found')
    await expect(box.rescan()).resolves.toMatchObject({ busy: ['slot01'], devices: ['slot01', 'slot02'] })
  })
})
