import { Type } from '@sinclair/typebox'
import { InvalidInput } from '../../../events/core/errors.js'
import {
  AUTOMATION_TYPES,
  AutomationDescriptor,
  automationDescriptorsEvent,
  JobDescriptor,
  jobDescriptorsEvent,
  SettingsDescriptor,
  settingsDescriptorsEvent,
} from '../../../events/descriptors/descriptors.js'
import type { GatewayContext } from '../../context.js'
import { type Endpoint, endpoint } from '../../framework/endpoint.js'
import { ServicesNotReady, servicesNotReady } from '../../readiness.js'

async function toldOn<T>({ readModels, services }: GatewayContext, topic: string): Promise<T[]> {
  const told = await readModels.descriptors<T>(topic)
  if (told === null) throw servicesNotReady(services.record()?.state)
  return told
}

const getJobDescriptors = endpoint({
  method: 'get',
  path: '/unit_api/jobs/descriptors',
  summary:
    'How a web interface shows the jobs of this unit: built in, and what files of ui/jobs and plugins/ui/jobs say.',
  response: Type.Array(JobDescriptor),
  errors: [ServicesNotReady],
  maxAge: 5,
  handle: (_input, context) => toldOn<JobDescriptor>(context, jobDescriptorsEvent.topic(context)),
})

const getSettingsDescriptors = endpoint({
  method: 'get',
  path: '/unit_api/settings/descriptors',
  summary:
    'How a web interface shows what is set beside jobs. Defaults of the bioreactor are those of the configuration.',
  response: Type.Array(SettingsDescriptor),
  errors: [ServicesNotReady],
  maxAge: 5,
  handle: (_input, context) => toldOn<SettingsDescriptor>(context, settingsDescriptorsEvent.topic(context)),
})

const getAutomationDescriptors = endpoint({
  method: 'get',
  path: '/unit_api/automations/descriptors/:automation_type',
  summary: 'The forms that start the automations of a kind: temperature, dosing or led.',
  params: Type.Object({ automation_type: Type.String() }),
  response: Type.Array(AutomationDescriptor),
  errors: [InvalidInput, ServicesNotReady],
  maxAge: 5,
  handle({ params: { automation_type } }, context) {
    const known = AUTOMATION_TYPES.find((type) => type === automation_type)
    if (known === undefined) {
      throw new InvalidInput('There are no automations of this type.', {
        details: { field: 'automation_type' },
        remediation: `Ask for one of ${AUTOMATION_TYPES.join(', ')}.`,
      })
    }
    const topic = automationDescriptorsEvent.topic({ unit: context.unit, automation_type: known })
    return toldOn<AutomationDescriptor>(context, topic)
  },
})

export const descriptors: readonly Endpoint[] = [getJobDescriptors, getSettingsDescriptors, getAutomationDescriptors]
