import { type TSchema, Type } from '@sinclair/typebox'
import type { JobCapability } from '../../events/core/capability.js'
import type { EventDefinition } from '../../events/core/define-event.js'
import type { ModeDeclaration } from '../../events/define-mode.js'
import { DeviceRecord, deviceEvent } from '../../events/potentiostat/devices.js'
import { modeCapabilityEvent } from '../../events/potentiostat/modes.js'
import { automationCapabilityEvent, jobCapabilityEvent } from '../../events/system/jobs.js'
import { ServiceRecord, serviceEvent } from '../../events/system/services.js'
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
export const modeCapabilities = announcements('mode_capabilities', [modeCapabilityEvent], modeCapabilityEvent.payload)

/** Potentiostats by slot. */
export const devices = announcements('devices', [deviceEvent], DeviceRecord)

/** The services process. */
export const services = announcements('services', [serviceEvent], ServiceRecord)

type Announcements = 'job_capabilities' | 'mode_capabilities' | 'devices' | 'services'

/** Queries of what is announced. Records were checked when they were folded. */
export function announcementQueries(tables: Tables<Readonly<Record<Announcements, AnnouncementRow>>>) {
  const records = <T>(table: Announcements, order: 'name' | 'position') => {
    const all = tables.query<object, Pick<AnnouncementRow, 'record'>>((from) =>
      from.selectFrom(table).select('record').orderBy(order).orderBy('topic'),
    )
    return async (): Promise<readonly T[]> => (await all({})).map(({ record }) => JSON.parse(record) as T)
  }
  const serviceRecords = records<ServiceRecord>('services', 'position')
  return {
    jobCapabilities: records<JobCapability>('job_capabilities', 'name'),
    /** Modes in the order the services announce them. */
    modes: records<ModeDeclaration>('mode_capabilities', 'position'),
    devices: records<DeviceRecord>('devices', 'name'),
    /** The services process as it last spoke of itself; null before it ever did. */
    service: async (): Promise<ServiceRecord | null> => (await serviceRecords()).at(-1) ?? null,
  }
}
