import { type TSchema, Type } from '@sinclair/typebox'
import type { JobCapability } from '../../events/core/capability.js'
import type { EventDefinition } from '../../events/core/define-event.js'
import type { AnnouncedMode } from '../../events/define-mode.js'
import { DeviceRecord, deviceEvent } from '../../events/potentiostat/devices.js'
import { modeCapabilityEvent, RecordedMode, upcastMode } from '../../events/potentiostat/modes.js'
import { automationCapabilityEvent, jobCapabilityEvent } from '../../events/system/jobs.js'
import { foldProjection, type Projection } from '../engine/projection.js'
import type { Tables } from '../engine/queries.js'

type AnnouncementRow = {
  readonly topic: string
  /** Last level of the topic: the job or its automation, mode or slot. */
  readonly name: string
  readonly record: string
  readonly position: number
}

/** What is announced as retained JSON and taken back by clearing it: one row per topic, `record` as published. */
const announcements = (name: string, events: readonly EventDefinition[], schema: TSchema, version = 1): Projection =>
  foldProjection<AnnouncementRow>({
    name,
    version,
    on: events.map((event) => event.filter()),
    columns: { topic: 'TEXT', name: 'TEXT', record: 'TEXT', position: 'INTEGER' },
    key: ['topic'],
    keys: (event) => [[event.topic]],
    evolve: (_, event) => {
      if (event.isEmpty) return null
      event.as(schema)
      return {
        topic: event.topic,
        name: event.levels.at(-1) ?? '',
        record: event.text,
        position: event.position,
      }
    },
  })

/** Jobs and modes on offer, as the services declare them; automations stand one level below their job. */
export const jobCapabilities = announcements(
  'job_capabilities',
  [jobCapabilityEvent, automationCapabilityEvent],
  Type.Object({ job_name: Type.String(), published_settings: Type.Object({}) }),
  2,
)
export const modeCapabilities = announcements('mode_capabilities', [modeCapabilityEvent], RecordedMode)

/** Potentiostats by slot. */
export const devices = announcements('devices', [deviceEvent], DeviceRecord)

type Announcements = 'job_capabilities' | 'mode_capabilities' | 'devices'

/** Queries of what is announced. Records were checked when they were folded. */
export function announcementQueries(tables: Tables<Readonly<Record<Announcements, AnnouncementRow>>>) {
  const records = <T>(table: Announcements, order: 'name' | 'position') => {
    const all = tables.query<object, Pick<AnnouncementRow, 'record'>>((from) =>
      from.selectFrom(table).select('record').orderBy(order).orderBy('topic'),
    )
    return async (): Promise<readonly T[]> => (await all({})).map(({ record }) => JSON.parse(record) as T)
  }
  const recordedModes = records<(typeof RecordedMode)['static']>('mode_capabilities', 'position')
  return {
    jobCapabilities: records<JobCapability>('job_capabilities', 'name'),
    /** Modes by their rank. */
    modes: async (): Promise<readonly AnnouncedMode[]> =>
      (await recordedModes()).map(upcastMode).sort((one, other) => one.rank - other.rank),
    devices: records<DeviceRecord>('devices', 'name'),
  }
}
