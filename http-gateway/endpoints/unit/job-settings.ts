import { Type } from '@sinclair/typebox'
import { BadTransition, JobNotReady, JobNotRunning, SettingUnavailable } from '../../../events/bioreactor/errors.js'
import { SettingReadOnly, SettingUnknown } from '../../../events/core/define-job.js'
import { defineError, InvalidInput } from '../../../events/core/errors.js'
import { updateJobCommand } from '../../../events/system/commands.js'
import { LogUnavailable, NoAnswer } from '../../../events/system/errors.js'
import { order } from '../../commands.js'
import type { GatewayContext } from '../../context.js'
import { InvalidBody } from '../../conventions/unit/strict-body.js'
import { type Endpoint, endpoint } from '../../framework/endpoint.js'
import { withStatus } from '../../framework/errors.js'

const SettingNotPublished = withStatus(
  404,
  defineError('setting.not_published', 'state', 'The running job has not published a setting of this name.'),
)

const JobName = Type.Object({ job_name: Type.String() })
const Value = Type.Union([Type.String(), Type.Number()])

async function settingsOf(
  { readModels }: GatewayContext,
  jobName: string,
): Promise<Readonly<Record<string, string | number>>> {
  const settings = await readModels.jobSettings(jobName)
  if (settings !== null && Object.keys(settings).length > 0) return settings
  throw new JobNotRunning(`No settings found: ${jobName} is not running.`)
}

const getJobSettings = endpoint({
  method: 'get',
  path: '/unit_api/jobs/settings/job_name/:job_name',
  summary: 'Published settings of a running job, its `$state` included.',
  params: JobName,
  response: Type.Object({ settings: Type.Record(Type.String(), Value) }),
  errors: [JobNotRunning],
  handle: async ({ params }, context) => ({ settings: { ...(await settingsOf(context, params.job_name)) } }),
})

const getJobSetting = endpoint({
  method: 'get',
  path: '/unit_api/jobs/settings/job_name/:job_name/setting/:setting',
  summary: 'One published setting of a running job.',
  params: Type.Object({ job_name: Type.String(), setting: Type.String() }),
  response: Type.Record(Type.String(), Value),
  errors: [JobNotRunning, SettingNotPublished],
  async handle({ params: { job_name, setting } }, context) {
    const settings = await settingsOf(context, job_name)
    const value = Object.hasOwn(settings, setting) ? settings[setting] : undefined
    if (value === undefined) {
      throw new SettingNotPublished(`${job_name} has not published a setting '${setting}'.`)
    }
    return { [setting]: value }
  },
})

const updateJobSettings = endpoint({
  method: 'patch',
  path: '/unit_api/jobs/settings/job_name/:job_name',
  summary: 'Changes settings of a running job together: all of them are valid, or none is applied.',
  params: JobName,
  body: Type.Object({ settings: Type.Record(Type.String(), Type.Unknown()) }),
  example: { settings: { target_rpm: 600 } },
  response: Type.Object({ status: Type.Literal('success') }),
  needs: 'nothing',
  errors: [
    InvalidBody,
    JobNotRunning,
    SettingUnknown,
    SettingReadOnly,
    SettingUnavailable,
    JobNotReady,
    BadTransition,
    InvalidInput,
    NoAnswer,
    LogUnavailable,
  ],
  async handle({ params: { job_name }, body: { settings } }, context) {
    await order(context, updateJobCommand, { job_name, settings })
    return { status: 'success' as const }
  },
})

export const jobSettings: readonly Endpoint[] = [getJobSettings, updateJobSettings, getJobSetting]
