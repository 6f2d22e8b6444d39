import { Type } from '@sinclair/typebox'
import { order } from '../../commands.js'
import type { GatewayContext } from '../../context.js'
import { type Endpoint, endpoint } from '../../framework/endpoint.js'
import { RequestRefused } from '../../framework/errors.js'

const JobName = Type.Object({ job_name: Type.String() })
const Value = Type.Union([Type.String(), Type.Number()])

async function settingsOf(
  { readModels }: GatewayContext,
  jobName: string,
): Promise<Readonly<Record<string, string | number>>> {
  const settings = await readModels.jobSettings(jobName)
  if (settings !== null && Object.keys(settings).length > 0) return settings
  throw new RequestRefused('job.not_running', `No settings found: ${jobName} is not running.`)
}

const getJobSettings = endpoint({
  method: 'get',
  path: '/unit_api/jobs/settings/job_name/:job_name',
  summary: 'Published settings of a running job, its `$state` included.',
  params: JobName,
  response: Type.Object({ settings: Type.Record(Type.String(), Value) }),
  errors: ['job.not_running'],
  handle: async ({ params }, context) => ({ settings: { ...(await settingsOf(context, params.job_name)) } }),
})

const getJobSetting = endpoint({
  method: 'get',
  path: '/unit_api/jobs/settings/job_name/:job_name/setting/:setting',
  summary: 'One published setting of a running job.',
  params: Type.Object({ job_name: Type.String(), setting: Type.String() }),
  response: Type.Record(Type.String(), Value),
  errors: ['job.not_running', 'setting.not_published'],
  async handle({ params: { job_name, setting } }, context) {
    const settings = await settingsOf(context, job_name)
    const value = Object.hasOwn(settings, setting) ? settings[setting] : undefined
    if (value === undefined) {
      throw new RequestRefused('setting.not_published', `${job_name} has not published a setting '${setting}'.`)
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
    'request.invalid_body',
    'job.not_running',
    'setting.unknown',
    'setting.read_only',
    'setting.absent',
    'job.not_ready',
    'job.transition',
    'input.invalid',
    'services.no_answer',
    'log.unavailable',
  ],
  async handle({ params: { job_name }, body: { settings } }, context) {
    await order(context, 'update_job', { job_name, settings })
    return { status: 'success' as const }
  },
})

export const jobSettings: readonly Endpoint[] = [getJobSettings, updateJobSettings, getJobSetting]
