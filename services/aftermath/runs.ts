import { DeviceRecord, RunOrder, RunProgress, SampleBlock, SlotState, timestampOf } from '../../events/payloads.js'
import { isTerminal } from '../../events/run-status.js'
import { parseTopic, runTopic } from '../../events/topic.js'
import { type Correction, type Death, type FindRetained, type RetainedText, recordIn, retained } from './retained.js'

export const RUN_FILTERS = [
  'potentiostat/+/+/order',
  'potentiostat/+/+/progress',
  'potentiostat/+/+/+/state',
  'potentiostat/+/$devices/+',
] as const

/** A slot that claims to be measured, or to be waiting for it. */
interface OpenSlot {
  readonly box: string
  readonly order: RunOrder
  readonly slot: string
  /** Null when the order was recorded, but not yet its slots. */
  readonly state: SlotState | null
}

/** No run goes on: open slots failed at their last sample, and nothing remains to be measured. Only the last block of those slots is looked up. */
export async function runsInterrupted(
  world: readonly RetainedText[],
  find: FindRetained,
  death: Death,
): Promise<readonly Correction[]> {
  const texts = new Map(world.map((value) => [value.topic, value]))
  const slots = world.flatMap((value) => openSlots(value, texts))
  if (slots.length === 0) return []
  const samples = await find(slots.map((slot) => topicOf(slot, 'samples')))
  const blocks = new Map(samples.map((value) => [value.topic, recordIn(SampleBlock, value)]))
  const ended = slots.map((slot) => {
    const end = endOf(slot, blocks.get(topicOf(slot, 'samples')) ?? null)
    return retained(topicOf(slot, 'state'), failedState(slot, end, death))
  })
  const runs = new Map(slots.map(({ box, order }) => [runTopic(box, order.run_id, 'progress'), true]))
  const stopped = [...runs.keys()].flatMap((topic) => stoppedProgress(texts.get(topic), death))
  return [...ended, ...stopped]
}

const topicOf = ({ box, order, slot }: OpenSlot, rest: string): string => runTopic(box, order.run_id, `${slot}/${rest}`)

function openSlots(value: RetainedText, texts: ReadonlyMap<string, RetainedText>): readonly OpenSlot[] {
  const topic = parseTopic(value.topic)
  if (topic.family !== 'potentiostat' || topic.rest[0] !== 'order' || topic.rest.length > 1) return []
  const order = recordIn(RunOrder, value)
  if (order === null) return []
  return order.slots.flatMap((slot) => {
    const said = texts.get(runTopic(topic.box, order.run_id, `${slot}/state`))
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
export function devicesUnwatched(world: readonly RetainedText[]): readonly Correction[] {
  return world.flatMap((value) => {
    const topic = parseTopic(value.topic)
    if (topic.family !== 'potentiostat' || topic.runId !== '$devices') return []
    const device = recordIn(DeviceRecord, value)
    if (device === null || (!device.connected && device.run_id === null)) return []
    return [retained(value.topic, { ...device, connected: false, run_id: null } satisfies DeviceRecord)]
  })
}
