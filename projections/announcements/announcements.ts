import { type TSchema, Type } from '@sinclair/typebox'
import { Models, modelsEvent } from '../../events/bioreactor/vessel.js'
import type { JobCapability } from '../../events/core/capability.js'
import type { EventDefinition } from '../../events/core/define-event.js'
import type { AnnouncedMode } from '../../events/define-mode.js'
import { descriptorEvents } from '../../events/descriptors/descriptors.js'
import { PACKAGE_SOURCE, type Plugin, PluginRecord, pluginEvent } from '../../events/plugins/plugins.js'
import { DeviceRecord, deviceEvent } from '../../events/potentiostat/devices.js'
import { modeCapabilityEvent, RecordedMode, upcastMode } from '../../events/potentiostat/modes.js'
import { automationCapabilityEvent, jobCapabilityEvent } from '../../events/system/jobs.js'
import { foldProjection, type Projection } from '../engine/projection.js'
import type { Tables } from '../engine/queries.js'
import { readModel } from '../engine/read-model.js'

type AnnouncementRow = {
  readonly topic: string
  /** Last level of the topic: the job or its automation, mode or slot. */
  readonly name: string
  readonly record: string
  readonly position: number
}

/** What is announced as retained JSON and taken back by clearing it: one row per topic, `record` as published. */
const announced = (name: string, events: readonly EventDefinition[], schema: TSchema, version = 1): Projection =>
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
const jobCapabilities = announced(
  'job_capabilities',
  [jobCapabilityEvent, automationCapabilityEvent],
  Type.Object({ job_name: Type.String(), published_settings: Type.Object({}) }),
  2,
)
const modeCapabilities = announced('mode_capabilities', [modeCapabilityEvent], RecordedMode)

/** How web interfaces show jobs, settings and automations. */
const descriptors = announced('descriptors', descriptorEvents, Type.Object({ descriptors: Type.Array(Type.Unknown()) }))

/** Potentiostats by slot. */
const devices = announced('devices', [deviceEvent], DeviceRecord)

/** Vessels that a unit knows. */
const vesselModels = announced('vessel_models', [modelsEvent], Models)

/** Plugins that are installed. */
const plugins = announced('plugins', [pluginEvent], PluginRecord)

type Announcements = 'job_capabilities' | 'mode_capabilities' | 'descriptors' | 'devices' | 'vessel_models' | 'plugins'

type AnnouncementTables = Tables<Readonly<Record<Announcements, AnnouncementRow>>>

/** Records were checked when they were folded. */
export const announcements = readModel(
  [jobCapabilities, modeCapabilities, descriptors, devices, vesselModels, plugins],
  (tables: AnnouncementTables) => {
    const records = <T>(table: Announcements, order: 'name' | 'position') => {
      const all = tables.query<object, Pick<AnnouncementRow, 'record'>>((from) =>
        from.selectFrom(table).select('record').orderBy(order).orderBy('topic'),
      )
      return async (): Promise<readonly T[]> => (await all({})).map(({ record }) => JSON.parse(record) as T)
    }
    const recordedModes = records<(typeof RecordedMode)['static']>('mode_capabilities', 'position')
    const on = (table: Announcements) =>
      tables.query<{ topic: string }, Pick<AnnouncementRow, 'record'>>((from, value) =>
        from.selectFrom(table).select('record').where('topic', '=', value('topic')),
      )
    const models = on('vessel_models')
    const allPlugins = tables.query<object, Pick<AnnouncementRow, 'topic' | 'record'>>((from) =>
      from.selectFrom('plugins').select(['topic', 'record']).orderBy('name'),
    )
    const descriptorsOn = on('descriptors')
    return {
      /** Null as long as the unit has not told them. */
      async vesselModels(unit: string): Promise<Models['models'] | null> {
        const [found] = await models({ topic: modelsEvent.topic({ unit }) })
        return found === undefined ? null : (JSON.parse(found.record) as Models).models
      },
      jobCapabilities: records<JobCapability>('job_capabilities', 'name'),
      /** Modes by their rank. */
      modes: async (): Promise<readonly AnnouncedMode[]> =>
        (await recordedModes()).map(upcastMode).sort((one, other) => one.rank - other.rank),
      devices: records<DeviceRecord>('devices', 'name'),
      /** Packages, then files, by name; of two that give themselves one name the later one. */
      async plugins(unit: string): Promise<readonly Plugin[]> {
        const records = (await allPlugins({}))
          .filter(({ topic }) => pluginEvent.levels(topic)?.unit === unit)
          .map(({ record }) => JSON.parse(record) as PluginRecord)
        const isPackage = ({ source }: Plugin): boolean => source === PACKAGE_SOURCE
        const inOrder = [...records.filter(isPackage), ...records.filter((plugin) => !isPackage(plugin))]
        return [...new Map(inOrder.map(({ timestamp: _, ...plugin }) => [plugin.name, plugin])).values()]
      },
      /** Those told on a topic; null before they are. */
      async descriptors<T>(topic: string): Promise<T[] | null> {
        const [found] = await descriptorsOn({ topic })
        return found === undefined ? null : (JSON.parse(found.record) as { readonly descriptors: T[] }).descriptors
      },
    }
  },
)
