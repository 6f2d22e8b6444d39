import type { OrderOf } from '../../../events/core/define-command.js'
import type { Clock } from '../../../events/ports.js'
import { cancelRunCommand, rescanDevicesCommand, startRunCommand } from '../../../events/potentiostat/commands.js'
import type { RunProgress, SlotState } from '../../../events/potentiostat/run-state.js'
import type { SampleBlock } from '../../../events/potentiostat/samples.js'
import { correctAtStart } from '../../../services/aftermath/over-bus.js'
import { POTENTIOSTAT_PORTS, POTENTIOSTAT_USB } from '../../../services/potentiostat/device/registers.js'
import { type BoxContext, startBoxService } from '../../../services/potentiostat/runs/box-service.js'
import { runsLost } from '../../../services/potentiostat/runs/runs-lost.js'
import type { Service } from '../../../services/runtime/service.js'
import { claimPorts } from '../../../services/transport/claimed-ports.js'
import type { SerialDevice, SerialPorts } from '../../../services/transport/hardware.js'
import { give } from '../../support/give.js'
import { MemoryBroker } from '../../support/memory-bus.js'
import { silentLogger } from '../../support/silent-logger.js'
import { openSocket, clock as steadyClock } from './virtual-devices.js'

/** Serial ports that list whatever is plugged in at the moment. */
export class PluggedPorts implements SerialPorts {
  plugged: readonly Pick<SerialDevice, 'path' | 'serialNumber'>[] = []

  async list(): Promise<readonly SerialDevice[]> {
    return this.plugged.map((device) => ({ ...device, usb: POTENTIOSTAT_USB }))
  }

  open = openSocket
}

export interface Box {
  readonly service: Service
  readonly broker: MemoryBroker
  start(order: Partial<OrderOf<typeof startRunCommand>>): Promise<unknown>
  cancel(runId: string): Promise<unknown>
  rescan(): Promise<unknown>
  /** Resolves with the first slot state that is final. */
  ended(runId: string, slot: string): Promise<SlotState>
  /** Resolves once a message of the topic fulfils the condition. */
  heard(topic: string, condition: (text: string) => boolean): Promise<string>
  blocks(runId: string, slot: string): readonly SampleBlock[]
  progress(runId: string): readonly RunProgress[]
}

export async function startBox(
  serial: SerialPorts,
  broker = new MemoryBroker(),
  clock: Clock = steadyClock,
): Promise<Box> {
  const bus = broker.connect()
  const context: BoxContext = {
    unit: 'u1',
    box: 'A',
    clock,
    logger: silentLogger,
    ports: claimPorts(serial, { potentiostat: POTENTIOSTAT_PORTS })('potentiostat'),
    hardwareKind: 'simulated',
    dotPioreactor: '/nowhere',
    settings: { BOX_NULL_GAIN: 'auto', BOX_LAYOUT: 'wells', BOX_FILE_NAME: 'full' },
    bus,
    connectBus: async () => broker.connect(),
  }
  const service = await startBoxService(context, await correctAtStart(context, null, [runsLost]))
  const heard: Box['heard'] = async (topic, condition) => {
    const past = broker.payloads(topic).find(condition)
    if (past !== undefined) return past
    return new Promise((resolve) => {
      const end = broker.subscribe(topic, ({ payload, retain }) => {
        const text = payload.toString()
        if (retain || !condition(text)) return
        end()
        resolve(text)
      })
    })
  }
  const request: OrderOf<typeof startRunCommand> = {
    run_id: 'r1',
    devices: 'all',
    modes: ['CA'],
    params_by_mode: {},
    tia_gain: 1,
    sampling_interval: null,
    experiment_name: 'exp',
    subdir: null,
    client_datetime: '2026-01-02T03-04-05',
    group_id: null,
    make_plot: false,
  }
  const blocks = (runId: string, slot: string): readonly SampleBlock[] =>
    broker.payloads(`potentiostat/A/${runId}/${slot}/samples`).map((text) => JSON.parse(text) as SampleBlock)
  return {
    service,
    broker,
    heard,
    blocks,
    start: (order) => give(service, startRunCommand, { ...request, ...order }),
    cancel: (runId) => give(service, cancelRunCommand, { run_id: runId }),
    rescan: () => give(service, rescanDevicesCommand, {}),
    async ended(runId, slot) {
      const text = await heard(`potentiostat/A/${runId}/${slot}/state`, (state) =>
        ['done', 'failed', 'cancelled'].includes((JSON.parse(state) as SlotState).status),
      )
      return JSON.parse(text) as SlotState
    },
    progress: (runId) =>
      broker.payloads(`potentiostat/A/${runId}/progress`).map((text) => JSON.parse(text) as RunProgress),
  }
}
