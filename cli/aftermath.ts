import type { Config } from '../config.js'
import { timestampOf } from '../events/core/timestamp.js'
import type { NewEvent, RecordedEvent } from '../events/event.js'
import { compileFilters } from '../events/filter-tree.js'
import type { Clock, EventLogReader, EventLogWriter, MessageBus } from '../events/ports.js'
import { serviceEvent } from '../events/system/services.js'
import { instruments } from '../instruments.js'
import { pollUntil } from '../primitives/poll-until.js'
import { type Aftermath, aftermath } from '../services/aftermath/aftermath.js'
import { publishCorrections } from '../services/aftermath/over-bus.js'
import type { Correction, FindLate, FindRetained, RetainedText } from '../services/aftermath/retained.js'
import { readSafeState } from './home.js'
import { aftermathsOf } from './service-parts.js'

/** The parts of the services that may have died. */
const PARTS = aftermathsOf(instruments)

const findIn =
  (reader: EventLogReader): FindRetained =>
  async (filters) => {
    const found = filters.flatMap((filter) => reader.retained(filter))
    // Filters may overlap.
    return [...new Map(found.map((event) => [event.topic, textOf(event)])).values()]
  }

const textOf = ({ topic, payload, position }: RecordedEvent): Required<RetainedText> => ({
  topic,
  text: Buffer.from(payload).toString(),
  position,
})

/** Of the end of the log so much is looked at; about 5 ms. */
const LATE_EVENTS = 5000

const lateIn =
  (reader: EventLogReader): FindLate =>
  async (filter) => {
    const after = Math.max(0, reader.lastPosition() - LATE_EVENTS)
    return reader.read({ after, limit: LATE_EVENTS, match: compileFilters([filter]) }).map(textOf)
  }

const BATCH = 1000

/** Corrects the log before anybody can read it: no process of an earlier life of this unit lives.
 * @throws LogUnavailable when it cannot be written: a unit that says what is not true is worse than none. */
export async function correctLog(
  config: Pick<Config, 'unit' | 'runDirectory' | 'home' | 'simulationSpeed'>,
  clock: Clock,
  { reader, writer }: { readonly reader: EventLogReader; readonly writer: Pick<EventLogWriter, 'append'> },
): Promise<void> {
  const last = reader.read({ after: reader.lastPosition() - 1, limit: 1 })[0]
  if (last === undefined) return
  const of: Aftermath = {
    unit: config.unit,
    // Nothing was published later.
    death: {
      at: timestampOf(new Date(last.recordedAt)),
      now: timestampOf(clock.now()),
      speed: config.simulationSpeed,
    },
    gatewayToo: true,
    outputs: readSafeState(config),
    late: lateIn(reader),
  }
  const corrections = await aftermath(findIn(reader), of, PARTS)
  for (let first = 0; first < corrections.length; first += BATCH) {
    await writer.append(corrections.slice(first, first + BATCH).map(eventOf))
  }
}

const eventOf = ({ topic, payload, retain }: Correction): NewEvent => ({
  topic,
  payload: Buffer.from(payload),
  qos: 1,
  retain,
  client: '',
})

/** The last wills come when the connections are found closed; what was still under way comes before them. */
const WILL_MS = 1000
/** A guardian drives the outputs safe within this time, or it is gone. */
const SAFE_STATE_MS = 2500
const POLL_MS = 25

export interface AfterDeathDeps {
  readonly config: Config
  readonly clock: Clock
  readonly reader: EventLogReader
  readonly bus: MessageBus
}

/** Corrects what is retained of a services process that has just died: first what it said of itself, then what safe-state did about its outputs.
 * Resolves when the next one may start: nothing that is published about the old one can be mistaken for the new one. */
export async function tellAftermath({ config, clock, reader, bus }: AfterDeathDeps): Promise<void> {
  const { unit } = config
  const now = timestampOf(clock.now())
  const tell = async (): Promise<void> => {
    const outputs = readSafeState(config)
    const death = { at: now, now, speed: config.simulationSpeed }
    const of: Aftermath = { unit, death, gatewayToo: false, outputs, late: lateIn(reader) }
    await publishCorrections(bus, await aftermath(findIn(reader), of, PARTS))
  }
  const isCorrected = (): boolean => !/"state":"(starting|ready|suspended)"/.test(serviceRecord(reader, unit))
  await pollUntil({ limitMs: WILL_MS, everyMs: POLL_MS }, isCorrected, Boolean)
  await tell()
  await pollUntil({ limitMs: SAFE_STATE_MS, everyMs: POLL_MS }, () => readSafeState(config) !== null, Boolean)
  await tell()
}

const serviceRecord = (reader: EventLogReader, unit: string): string =>
  reader
    .retained(serviceEvent.filter({ unit }))
    .map(({ payload }) => Buffer.from(payload).toString())
    .join()
