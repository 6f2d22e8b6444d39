import { type Static, Type } from '@sinclair/typebox'
import { type CommandDefinition, defineCommand } from '../core/define-command.js'
import { defineEvent, type EventDefinition } from '../core/define-event.js'
import { ErrorPayload } from '../core/error-payload.js'
import { Timestamp } from '../core/timestamp.js'
import { choice } from '../core/values.js'

/** Stands in events where a password, key or token is. */
export const REDACTED = '<redacted>'

/** The shared configuration, which a leader writes, and the unit's own. */
export const CONFIG_FILES = ['config.ini', 'unit_config.ini'] as const
export type ConfigFile = (typeof CONFIG_FILES)[number]

/** Text of an option; null when it stands without a delimiter. */
const Text = Type.Union([Type.String(), Type.Null()])

/** Options by section. */
export const ConfigSections = Type.Record(Type.String(), Type.Record(Type.String(), Text))
export type ConfigSections = Static<typeof ConfigSections>

/** Whether a unit is the leader of its cluster; one of its own is. */
export function isLeader(unit: string, sections: ConfigSections): boolean {
  const leader = sections['cluster.topology']?.['leader_hostname'] ?? ''
  return leader === '' || leader === unit
}

export const MergedConfig = Type.Object({
  /** What jobs start with: defaults, files, derived sections; secrets are redacted. Of files that can be read, when there is an error. */
  sections: ConfigSections,
  /** Why a file cannot be read; null when all can. */
  error: Type.Union([ErrorPayload, Type.Null()]),
  timestamp: Timestamp,
})
export type MergedConfig = Static<typeof MergedConfig>

/** What events leave out, in a file of this user alone: the gateway puts it back into the answers of those who may ask. */
export const ConfigSecrets = Type.Object({
  /** Values that the event has redacted. */
  sections: ConfigSections,
  /** Of the files as they were told last, so that a changed secret is noticed. */
  digests: Type.Record(Type.String(), Type.String()),
})
export type ConfigSecrets = Static<typeof ConfigSecrets>

/** One option that is not what it was; without `before` it is new, without `after` it is gone. Secrets are redacted. */
const ConfigChange = Type.Object({
  section: Type.String(),
  option: Type.String(),
  before: Type.Optional(Text),
  after: Type.Optional(Text),
})
export type ConfigChange = Static<typeof ConfigChange>

export const ConfigFileRecord = Type.Object({
  filename: choice(CONFIG_FILES),
  /** The whole text, secrets redacted; empty when there is no such file. */
  data: Type.String(),
  /** Where the change came from: an address that used REST, or the disk. */
  client: Type.String(),
  changes: Type.Array(ConfigChange),
  timestamp: Timestamp,
})
export type ConfigFileRecord = Static<typeof ConfigFileRecord>

export const mergedConfigEvent = defineEvent({
  pattern: 'system/<unit>/config',
  retained: true,
  payload: MergedConfig,
  doc: 'The merged configuration of the unit.',
})

export const configFileEvent = defineEvent({
  pattern: 'system/<unit>/config/files/<filename>',
  retained: true,
  payload: ConfigFileRecord,
  doc: 'A configuration file was changed: by a client, or by hand.',
})

export const configEvents: readonly EventDefinition[] = [mergedConfigEvent, configFileEvent]

export const writeUnitConfigCommand = defineCommand({
  name: 'write_unit_config',
  payload: Type.Object({ spool: Type.String(), client: Type.String() }),
  result: Type.Object({}),
  doc: 'Replaces unit_config.ini, when it and what it gives together with config.ini are valid. Its text lies in a spool file, which is deleted.',
})

export const configCommands: readonly CommandDefinition[] = [writeUnitConfigCommand]
