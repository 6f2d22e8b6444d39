import { timestampOf } from '../../events/core/timestamp.js'
import type { BusMessage, MessageBus } from '../../events/ports.js'
import { type ServiceRecord, serviceEvent } from '../../events/system/services.js'
import { matchesFilter } from '../../events/topic.js'
import type { SafeStateResult } from '../runtime/safe-state-result.js'
import type { ServiceContext } from '../runtime/service.js'
import { correctionsOf, filtersOf, nothingLate, type PartAftermath, saidHere } from './aftermath.js'
import type { Correction, FindRetained, RetainedText } from './retained.js'

type Starting = Pick<ServiceContext, 'bus' | 'unit' | 'clock' | 'hardwareKind'>

/** Corrects at the start of the services what an earlier process left behind: on a unit whose main process lives, that has been done already.
 * @param outputs how they were switched off just now. @param parts of those that the services are made of.
 * @returns what is retained now: the past of the services. */
export async function correctAtStart(
  context: Starting,
  outputs: SafeStateResult | null,
  parts: readonly PartAftermath[],
): Promise<readonly RetainedText[]> {
  const { bus, unit, clock } = context
  const find = findOverBus(bus, () => sayStarting(context))
  const world = await find(filtersOf(parts))
  const now = timestampOf(clock.now())
  const of = { unit, death: { at: now, now }, gatewayToo: false, outputs }
  const corrections = await correctionsOf(world, find, of, parts)
  await publishCorrections(bus, corrections)
  return corrected(world, corrections)
}

/** Corrects what a part of the services left behind that ended although the process lives on.
 * @param fence publishes something retained, new each time. @returns what is retained now: the past of its next life. */
export async function correctPart(
  { bus, unit, clock }: Pick<Starting, 'bus' | 'unit' | 'clock'>,
  part: PartAftermath,
  outputs: SafeStateResult | null,
  fence: () => Promise<RetainedText>,
): Promise<readonly RetainedText[]> {
  const find = findOverBus(bus, fence)
  const world = saidHere(await find(part.filters), unit)
  const now = timestampOf(clock.now())
  const corrections = await part.corrections({ world, find, late: nothingLate, death: { at: now, now }, outputs })
  await publishCorrections(bus, corrections)
  return corrected(world, corrections)
}

function corrected(world: readonly RetainedText[], corrections: readonly Correction[]): readonly RetainedText[] {
  const texts = new Map(world.map(({ topic, text }) => [topic, text]))
  for (const { topic, payload, retain } of corrections) if (retain) texts.set(topic, payload)
  return [...texts].flatMap(([topic, text]) => (text === '' ? [] : [{ topic, text }]))
}

/** Looks retained values up over the connection. The broker replays one subscription after the other: when the value of the last one has
 * come, everything before it has. That value is our own, such as that the services are starting; what changes meanwhile comes live. */
const findOverBus =
  (bus: MessageBus, fence: () => Promise<RetainedText>): FindRetained =>
  async (filters) => {
    const found = new Map<string, string>()
    const keep = ({ topic, payload }: BusMessage): void => void found.set(topic, payload.toString())
    const starting = await fence()
    const ends = []
    for (const filter of new Set(filters)) {
      if (!matchesFilter(filter, starting.topic)) ends.push(await bus.subscribe(filter, keep))
    }
    let arrived: () => void = () => undefined
    const complete = new Promise<void>((resolve) => {
      arrived = resolve
    })
    const last = ({ payload }: BusMessage): void => {
      if (payload.toString() === starting.text) arrived()
    }
    ends.push(await bus.subscribe(starting.topic, last))
    await complete
    for (const end of ends) await end()
    return [...found].flatMap(([topic, text]) => (text === '' ? [] : [{ topic, text }]))
  }

/** Recorded and retained when it resolves. */
async function sayStarting({ bus, unit, clock, hardwareKind }: Starting): Promise<RetainedText> {
  const topic = serviceEvent.topic({ unit })
  const timestamp = timestampOf(clock.now())
  const record: ServiceRecord = { state: 'starting', hardware: hardwareKind, reason: null, timestamp }
  const text = serviceEvent.encode(record)
  await bus.publish(topic, text, { retain: true })
  return { topic, text }
}

/** Published together, so that they share commits of the log. */
const BATCH = 100

/** Resolves when all of it is recorded, in order. */
export async function publishCorrections(bus: MessageBus, corrections: readonly Correction[]): Promise<void> {
  for (let first = 0; first < corrections.length; first += BATCH) {
    const batch = corrections.slice(first, first + BATCH)
    await Promise.all(batch.map(({ topic, payload, retain }) => bus.publish(topic, payload, { retain })))
  }
}
