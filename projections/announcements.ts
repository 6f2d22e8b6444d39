import { type TSchema, Type } from '@sinclair/typebox'
import { DeviceRecord, ServiceRecord } from '../events/payloads.js'
import { foldProjection, type Projection } from './projection.js'

export type AnnouncementRow = {
  readonly topic: string
  /** Last level of the topic: the job, mode or slot. */
  readonly name: string
  readonly record: string
  readonly position: number
}

/** What is announced as retained JSON and taken back by clearing it: one row per topic, `record` as published. */
const announcements = (name: string, topic: string, schema: TSchema): Projection =>
  foldProjection<AnnouncementRow>({
    name,
    version: 1,
    on: [topic],
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

/** Jobs and modes on offer, as the services declare them. */
export const jobCapabilities = announcements(
  'job_capabilities',
  'system/+/capabilities/jobs/+',
  Type.Object({ job_name: Type.String(), published_settings: Type.Object({}) }),
)
export const modeCapabilities = announcements(
  'mode_capabilities',
  'system/+/capabilities/modes/+',
  Type.Object({ mode: Type.String(), parameters: Type.Object({}) }),
)

/** Potentiostats by slot. */
export const devices = announcements('devices', 'potentiostat/+/$devices/+', DeviceRecord)

/** The services process. */
export const services = announcements('services', 'system/+/service', ServiceRecord)
