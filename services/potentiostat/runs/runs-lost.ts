import { timestampOf } from '../../../events/core/timestamp.js'
import { DeviceRecord, deviceEvent } from '../../../events/potentiostat/devices.js'
import { pastRunsEvent } from '../../../events/potentiostat/past-runs.js'
import { RunOrder, runOrderEvent } from '../../../events/potentiostat/run-order.js'
import { RunProgress, runProgressEvent, SlotState, slotStateEvent } from '../../../events/potentiostat/run-state.js'
import { SampleBlock, samplesEvent } from '../../../events/potentiostat/samples.js'
import { isTerminal } from '../../../events/run-status.js'
import type { PartAftermath, Past } from '../../aftermath/aftermath.js'
import { type Correction, type Death, type RetainedText, recordIn, retained } from '../../aftermath/retained.js'

/** What is false about runs and devices when nobody measures any more. The ids of past runs stay true: the next life reads them. */
export const runsLost: PartAftermath = {
  filters: [runOrderEvent, runProgressEvent, slotStateEvent, deviceEvent, pastRunsEvent].map((event) => event.filter()),
  corrections: async (past) => [...(await runsInterrupted(past)), ...devicesUnwatched(past.world)],
}

/** A slot that claims to be measured, or to be waiting for it. */
interface OpenSlot {
  readonly box: string
  readonly order: RunOrder
  readonly slot: string
  /** Null when the order was recorded, but not yet its slots. */
  readonly state: SlotState | null
}

/** No run goes on: open slots failed at their last sample, and nothing remains to be measured. Only the last block of those slots is looked up. */
async function runsInterrupted({ world, find, death }: Past): Promise<readonly Correction[]> {
  const texts = new Map(world.map((value) => [value.topic, value]))
  const slots = world.flatMap((value) => openSlots(value, texts))
  if (slots.length === 0) return []
  const samples = await find(slots.map((slot) => samplesEvent.topic(levelsOf(slot))))
  const blocks = new Map(samples.map((value) => [value.topic, recordIn(SampleBlock, value)]))
  const ended = slots.map((slot) => {
    const end = endOf(slot, blocks.get(samplesEvent.topic(levelsOf(slot))) ?? null)
    return retained(slotStateEvent.topic(levelsOf(slot)), failedState(slot, end, death))
  })
  const runs = new Map(slots.map((slot) => [runProgressEvent.topic(levelsOf(slot)), true]))
  const stopped = [...runs.keys()].flatMap((topic) => stoppedProgress(texts.get(topic), death))
  return [...ended, ...stopped]
}

const levelsOf = ({ box, order: { run_id }, slot }: Pick<OpenSlot, 'box' | 'order' | 'slot'>) => ({ box, run_id, slot })

function openSlots(value: RetainedText, texts: ReadonlyMap<string, RetainedText>): readonly OpenSlot[] {
  const topic = runOrderEvent.levels(value.topic)
  if (topic === null) return []
  const order = recordIn(RunOrder, value)
  if (order === null) return []
  return order.slots.flatMap((slot) => {
    const said = texts.get(slotStateEvent.topic(levelsOf({ box: topic.box, order, slot })))
    const state = said === undefined ? null : recordIn(SlotState, said)
    return state !== null && isTerminal(state.status) ? [] : [{ box: topic.box, order, slot, state }]
  })
}

/** When the last sample was taken; without any, when the slot started or was ordered. */
function endOf({ order, state }: OpenSlot, block: SampleBlock | null): string {
  if (block === null) return state?.started_at ?? order.timestamp
  const { time, current, timestamp } = block
  const rowS = order.average * order.period_s
  const spanS = time === undefined ? Math.max(0, current.length - 1) * rowS : (time.at(-1) ?? 0) - (time[0] ?? 0)
  return timestampOf(new Date(Date.parse(timestamp) + spanS * 1000))
}

const failedState = ({ slot, state }: OpenSlot, end: string, { now }: Death): SlotState => ({
  slot,
  started_at: null,
  device_sn: null,
  reports: [],
  ...state,
  status: 'failed',
  mode_index: null,
  ended_at: end,
  message: 'Interrupted: the services process ended before the measurement did.',
  interrupted: true,
  timestamp: now,
})

/** What was reached stays; nothing remains. */
function stoppedProgress(value: RetainedText | undefined, { now }: Death): readonly Correction[] {
  const progress = value === undefined ? null : recordIn(RunProgress, value)
  if (value === undefined || progress === null || progress.remaining_s === null) return []
  return [retained(value.topic, { ...progress, remaining_s: null, timestamp: now } satisfies RunProgress)]
}

/** No process has a device in its hands: each counts as connected again once it was found again. */
function devicesUnwatched(world: readonly RetainedText[]): readonly Correction[] {
  return world.flatMap((value) => {
    if (deviceEvent.levels(value.topic) === null) return []
    const device = recordIn(DeviceRecord, value)
    if (device === null || (!device.connected && device.run_id === null)) return []
    return [retained(value.topic, { ...device, connected: false, run_id: null } satisfies DeviceRecord)]
  })
}
