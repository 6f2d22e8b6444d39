import { afterAll, beforeAll, describe } from 'vitest'
import type { RunStatusBody } from '../../http-gateway/endpoints/box/run-status.js'
import { type BoxClient, boxClient } from '../support/box-client.js'
import { contractOrders } from '../support/contract-orders.js'
import { expectContractRun } from '../support/contract-run.js'
import { createLabHome } from '../support/start-lab.js'
import { until } from '../support/until.js'

/** 0 → 0.5 → −0.5 → … → 0 V at 0.05 V/s, three cycles (protocol: 83 332 + 111 110 + 138 887 samples); 1000 … 1 Hz, ten per decade. */
const ROWS = { CV: 333_329, EIS: 31 }
/** Planned are 150 s. */
const TIMEOUT_MS = 240_000

const home = createLabHome()
let box: BoxClient
beforeAll(async () => {
  const { url } = await home.start()
  box = boxClient(url)
  await until(async () => ((await box.get('/devices')).json as unknown[]).length === 2, 'two slots')
})
afterAll(() => home.remove())

describe.each([
  ['on two slots', contractOrders.onTwoSlots],
  ['on all slots', contractOrders.onAllSlots],
])("the contract's order %s, as printed", (_title, order) => {
  const seen: RunStatusBody[] = []
  beforeAll(async () => {
    await box.ended(await box.order(order), TIMEOUT_MS, (status) => seen.push(status))
  }, TIMEOUT_MS)

  expectContractRun(() => ({ box, home: home.home, seen }), order.experiment_name, ROWS)
})
