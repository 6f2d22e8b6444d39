import { type Static, Type } from '@sinclair/typebox'
import { type CommandDefinition, defineCommand } from '../core/define-command.js'
import { defineTask } from '../core/define-task.js'
import { defineError } from '../core/errors.js'

/** Entry of an archive that tells where it comes from. */
export const ARCHIVE_METADATA = 'pioreactor_export_metadata.json'

/** What an export holds, in order, and where it lies; the path of a directory ends with a slash. */
export const ExportEntries = Type.Array(Type.Object({ path: Type.String(), location: Type.String() }))
export type ExportEntries = Static<typeof ExportEntries>

/** Name of that list in the folder of an export. */
export const EXPORT_LIST = 'entries.json'

export const prepareExportCommand = defineCommand({
  name: 'prepare_export',
  payload: Type.Object({}),
  result: Type.Object({ spool: Type.String() }),
  doc: 'Lists what an archive of the data directory holds, in a folder of the spool that also has what must not change or be seen: copies of databases, configuration without secrets.',
})

export const importArchiveTask = defineTask({
  name: 'import_archive',
  payload: Type.Object({ spool: Type.String() }),
  result: Type.Boolean(),
  lock: 'import-dot-pioreactor-lock',
  doc: 'Replaces the data directory by what an archive holds, as a whole; then the computer is started again where that is allowed, else the services. The archive lies in the spool.',
})

export const archiveCommands: readonly CommandDefinition[] = [prepareExportCommand, importArchiveTask]

export const ArchiveInvalid = defineError(
  'archive.invalid',
  'input',
  'What was sent is no archive of a data directory, or not of this unit; nothing was changed.',
)

export const ArchiveNotTaken = defineError(
  'archive.not_taken',
  'state',
  'The data directory could not be replaced by that of the archive; it is as it was.',
)
