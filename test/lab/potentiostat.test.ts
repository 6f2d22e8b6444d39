import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunStatusBody } from '../../http-gateway/endpoints/box/run-status.js'
import { type BoxClient, boxClient } from '../support/box-client.js'
import { contractOrders } from '../support/contract-orders.js'
import { expectContractRun } from '../support/contract-run.js'
import { createLabHome, type Lab } from '../support/start-lab.js'
import { until } from '../support/until.js'

const home = createLabHome()
let lab: Lab
let box: BoxClient
const seen: RunStatusBody[] = []

/** The contract's order on all slots, with a scan forty times as fast and frequencies down to 100 Hz instead of 1 Hz. As printed it takes two
 * and a half minutes and runs with the long tests. */
const { CV, EIS } = contractOrders.onAllSlots.params_by_mode
const order = {
  ...contractOrders.onAllSlots,
  params_by_mode: { CV: { ...CV, scan_rate: 2 }, EIS: { ...EIS, end_freq: 100 } },
}

/** 0 → 0.5 → −0.5 → 0.5 → −0.5 → 0.5 → −0.5 → 0 V at 2 V/s: 2 · trunc(0.25/h) + 5 · trunc(0.5/h) samples; eleven frequencies. */
const ROWS = { CV: 2 * 694 + 5 * 1388, EIS: 11 }

beforeAll(async () => {
  lab = await home.start()
  box = boxClient(lab.url)
  await until(async () => ((await box.get('/devices')).json as unknown[]).length === 2, 'two slots')
  await box.ended(await box.order(order), 60_000, (status) => seen.push(status))
}, 150_000)
afterAll(() => home.remove())

expectContractRun(() => ({ box, home: home.home, seen }), 'Demo', ROWS)

describe.each(['slot01', 'slot02'])('the measurements of %s', (slot) => {
  const rowsOf = async (mode: string): Promise<number[][]> => {
    const path = `${slot}/${mode}/Demo_${slot}_${mode}.csv`
    const { text } = await box.get(`/runs/${seen.at(-1)?.run_id}/file?path=${path}`)
    const [, ...lines] = text.trimEnd().split('\r\n')
    return lines.map((line) => line.split(',').map(Number))
  }

  it('show the two peaks of the default cell around 0.22 V', async () => {
    const rows = await rowsOf('CV')
    expect(rows[1]?.[0]).toBe(0.00036)
    const peak = (sign: 1 | -1) =>
      rows.reduce((best, row) => (sign * (row[2] ?? 0) > sign * (best[2] ?? 0) ? row : best))
    const [anodic, cathodic] = [peak(1), peak(-1)]
    expect(anodic[1]).toBeGreaterThan(0.22)
    expect(cathodic[1]).toBeLessThan(0.22)
    expect(anodic[2]).toBeGreaterThan(5e-5)
    expect(cathodic[2]).toBeLessThan(-5e-5)
  })

  it('show a resistance and a capacitance at every frequency', async () => {
    for (const [, , , , frequency, real, imaginary] of await rowsOf('EIS')) {
      expect(frequency).toBeGreaterThan(99)
      expect(real).toBeGreaterThan(100)
      expect(imaginary).toBeLessThan(0)
    }
  })
})

it('evaluates a double-layer capacitance, in a table and in the sidecar', async () => {
  const CDL = { vertex_a: 0.4, vertex_b: 0.5, scan_rates: [1, 2] }
  const runId = await box.order({ ...order, devices: ['slot01'], modes: ['CDL'], params_by_mode: { CDL } })
  const { status, slots } = await box.ended(runId)
  const base = 'slot01/CDL/Demo_slot01_CDL'
  expect([status, slots[0]?.files]).toEqual(['done', ['.csv', '.json', '.png', '_cdl.csv'].map((end) => base + end)])
  const table = await box.get(`/runs/${runId}/file?path=${base}_cdl.csv`)
  const [header, ...points] = table.text.trimEnd().split('\r\n')
  expect([header, points.length]).toEqual(['scan_rate_V_per_s,Icap_A,n_cycles', 2])
  const sidecar = await box.get(`/runs/${runId}/file?path=${base}.json`)
  const { evaluation } = (sidecar.json as { report: { evaluation: Record<string, unknown> } }).report
  expect(evaluation).toMatchObject({ kind: 'cdl', capacitance_f: expect.any(Number), r_squared: expect.any(Number) })
  const currents = points.map((point) => Number(point.split(',')[1]))
  expect(evaluation).toMatchObject({ points: currents.map((Icap_A) => ({ Icap_A: expect.closeTo(Icap_A, 8) })) })
})

it('refuses wrong parameters before anything moves', async () => {
  const wrong = { ...order, params_by_mode: { ...order.params_by_mode, CV: { ...CV, scan_rate: 0 } } }
  expect(await box.post('/jobs', wrong)).toMatchObject({
    status: 422,
    json: { code: 'jobs.invalid_params', errors: [{ mode: 'CV', field: 'scan_rate', code: 'must_be_positive' }] },
  })
  expect((await box.get('/jobs?state=incomplete')).json).toEqual([])
})
