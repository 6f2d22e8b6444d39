import { resolve } from 'node:path'
import { Type } from '@sinclair/typebox'
import { defineJob, type JobDefinition } from '../../../events/core/define-job.js'
import { createRefusedJob, type Job } from '../../jobs/job.js'

/** What a Pioreactor's leader does for its cluster. Clients of a unit look for these entries, and a unit that stands alone is to have them too: until
 * they are built they are listed, and every start is refused with its reason. Source of names and defaults: Pioreactor 26.7. */

const flag = (doc: string) => ({ schema: Type.Boolean(), doc, option: true, default: false }) as const
const text = (doc: string) => ({ schema: Type.String(), doc, option: true }) as const
const file = { schema: Type.String(), doc: 'File of the profile.', argument: { type: 'path' } } as const

const profiles = defineJob({
  name: 'experiment_profile',
  help: 'Commands for experiment profiles.',
  action: true,
  parameters: {},
})

const executeProfile = defineJob({
  name: 'experiment_profile execute',
  help: 'Run an experiment profile.',
  action: true,
  longRunning: true,
  parameters: {
    filename: file,
    experiment: { schema: Type.String(), doc: 'Experiment to run it in.', argument: true },
    dry_run: flag('Only say what would be done.'),
  },
})

const verifyProfile = defineJob({
  name: 'experiment_profile verify',
  help: 'Check an experiment profile without running it.',
  action: true,
  parameters: { filename: file },
})

const exportData = defineJob({
  name: 'export_experiment_data',
  help: 'Export the data of an experiment as CSV files in an archive.',
  action: true,
  parameters: {
    experiment: { schema: Type.String(), doc: 'Experiment to export.', option: { required: true } },
    output: { ...text('File to write.'), default: './output.zip' },
    partition_by_unit: flag('One file for each unit.'),
    partition_by_experiment: flag('One file for each experiment.'),
    dataset_name: { schema: Type.Array(Type.String()), doc: 'Dataset to export.', option: true, default: [] },
    start_time: text('Leave out what is earlier: ISO 8601 with offset.'),
    end_time: text('Leave out what is later: ISO 8601 with offset.'),
  },
})

const backUpTo = (output: string) =>
  defineJob({
    name: 'backup_database',
    help: 'Copy the database.',
    action: true,
    parameters: {
      output: { ...text('File to write.'), default: output },
      force: flag('Copy whatever the state of the database.'),
      backup_to_workers: {
        schema: Type.Integer({ minimum: 0 }),
        doc: 'To how many other units to copy it.',
        option: true,
      },
    },
  })

const BACKUP = 'storage/pioreactor.sqlite.backup'

const refused = (definition: JobDefinition, reason: string) => ({
  definition,
  create: () => createRefusedJob(definition, reason),
})

const NO_PROFILES = 'This version does not run experiment profiles yet; a leader can run them on this unit.'
const NO_BACKUP =
  'This version does not copy its database by itself yet; with the unit stopped, copy event-log.db: all else is made from it.'

export const leaderEntries: readonly {
  readonly definition: JobDefinition
  create(board: { readonly dotPioreactor: string }): Job
}[] = [
  refused(profiles, 'experiment_profile only groups commands: run experiment_profile execute or verify.'),
  refused(executeProfile, NO_PROFILES),
  refused(verifyProfile, NO_PROFILES),
  refused(
    exportData,
    'This version does not export datasets yet; read-models.db has them as tables that SQLite programs can open.',
  ),
  {
    definition: backUpTo(`/home/pioreactor/.pioreactor/${BACKUP}`),
    create: ({ dotPioreactor }) => createRefusedJob(backUpTo(resolve(dotPioreactor, BACKUP)), NO_BACKUP),
  },
]
