import { Type } from '@sinclair/typebox'
import { defineJob } from '../../../events/core/define-job.js'
import { createRefusedJob } from '../../jobs/job.js'

/** Source of names and defaults: Pioreactor 26.7 `self_test`. */
export const selfTest = defineJob({
  name: 'self_test',
  help: 'Check inputs and outputs of the unit.',
  action: true,
  ofUnit: true,
  parameters: {
    k: { schema: Type.String(), doc: 'Only the tests with this in their name.', option: true },
    retry_failed: { schema: Type.Boolean(), doc: 'Only the tests that failed last.', option: { type: 'text' } },
  },
})

export const selfTestJob = createRefusedJob(
  selfTest,
  'This version does not light, stir and heat to test the unit yet; benchlog check-hardware looks for every part of it and says what is missing.',
)
