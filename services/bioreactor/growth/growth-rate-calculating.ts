import { Type } from '@sinclair/typebox'
import { bioreactorVariableEvent, dosingEvent } from '../../../events/bioreactor/liquids.js'
import { GrowthRate, ODFiltered } from '../../../events/bioreactor/readings.js'
import { defineJob, type ParametersOf, type SettingsOf } from '../../../events/core/define-job.js'
import { createAction, createJob, type Job, type JobContext } from '../../jobs/job.js'
import type { Bioreactor } from '../board/board.js'
import type { Estimators } from '../calibrations/artifact-store.js'
import type { ExperimentStore } from '../experiment-store.js'
import { readBlank } from '../od/blank.js'
import { FUSED_OD } from '../od/od-optics.js'
import { odReading } from '../od/od-reading.js'
import { GrowthCalculation } from './growth-calculation.js'
import { GrowthMemory } from './growth-memory.js'
import { type ReadGrowthReading, readFused, readOds } from './growth-readings.js'

const SECTION = 'growth_rate_calculating.config'

/** Source of names, ranges and defaults: Pioreactor 26.7 `growth_rate_calculating`. */
export const growthRateCalculating = defineJob({
  name: 'growth_rate_calculating',
  help: 'Tell how fast the culture grows from its optical density.',
  parameters: {
    growth_rate: {
      schema: GrowthRate,
      unit: 'h⁻¹',
      doc: 'How fast the culture grows, dilution left out.',
      published: true,
      when: 'after the statistics of the first readings',
      valuePath: 'growth_rate',
    },
    od_filtered: {
      schema: ODFiltered,
      doc: 'Optical density without noise; 1 is that of the first readings of the experiment.',
      published: true,
      when: 'after the statistics of the first readings',
      valuePath: 'od_filtered',
    },
    samples_per_second: {
      schema: Type.Number({ exclusiveMinimum: 0 }),
      unit: 'readings per s',
      doc: 'How often readings are expected, where od_reading does not say.',
      config: ['od_reading.config', 'samples_per_second'],
      default: 0.2,
    },
    smoothing_penalizer: {
      schema: Type.Number({ minimum: 0 }),
      doc: 'How strongly od_reading pulls a reading towards the last one: so slowly it shows a dilution.',
      config: ['od_reading.config', 'smoothing_penalizer'],
      default: 3,
    },
    ekf_outlier_std_threshold: {
      schema: Type.Number({ exclusiveMinimum: 2 }),
      unit: 'standard deviations',
      doc: 'A reading farther off than this is an outlier and counts less.',
      config: [SECTION, 'ekf_outlier_std_threshold'],
      default: 5,
    },
    samples_for_od_statistics: {
      schema: Type.Integer({ minimum: 1, maximum: 10_000 }),
      doc: 'Readings at the beginning that tell level and noise.',
      config: [SECTION, 'samples_for_od_statistics'],
      default: 10,
    },
  },
})
export type GrowthRateSettings = SettingsOf<typeof growthRateCalculating>
export type GrowthRateParameters = ParametersOf<typeof growthRateCalculating>

export interface GrowthRateDeps {
  readonly bioreactor: Pick<Bioreactor, 'model'>
  readonly estimators: Estimators
  readonly store: ExperimentStore
}

export const createGrowthRateJob = (deps: GrowthRateDeps): Job =>
  createJob(growthRateCalculating, (job, params) => startGrowthRate(job, params, deps))

async function startGrowthRate(
  job: JobContext<GrowthRateSettings>,
  params: GrowthRateParameters,
  { bioreactor, estimators, store }: GrowthRateDeps,
): Promise<GrowthCalculation> {
  const { unit, experiment } = job
  // Three angles are what the estimators of these vessels are made for.
  const isFused = bioreactor.model.model_name.endsWith('_XR') && (await estimators.active(FUSED_OD)) !== null
  const openReader = async (): Promise<ReadGrowthReading> => {
    if (isFused) {
      const name = (await estimators.active(FUSED_OD))?.estimator_name ?? 'none'
      return (text) => readFused(text, name)
    }
    const blank = await readBlank(store, experiment)
    return (text) => readOds(text, blank)
  }
  const calculation = new GrowthCalculation({ job, params, memory: new GrowthMemory(store, experiment), openReader })
  const volume = bioreactorVariableEvent.topic({ unit, experiment, variable: 'current_volume_ml' })
  await job.follow(volume, (message) => calculation.takeVolume(message))
  await job.follow(dosingEvent.topic({ unit, experiment }), (message) => calculation.takeDose(message))
  await job.follow(odReading.topic(unit, experiment, isFused ? 'od_fused' : 'ods'), (message) =>
    calculation.takeReading(message),
  )
  return calculation
}

export const clearGrowthCache = defineJob({
  name: 'growth_rate_calculating clear_cache',
  help: 'Forget what counted as an optical density of 1 in this experiment; the next start of growth_rate_calculating learns it anew.',
  action: true,
  parameters: {},
})

export const createClearGrowthCacheAction = ({ store }: Pick<GrowthRateDeps, 'store'>): Job =>
  createAction(clearGrowthCache, async (job) => {
    const had = await new GrowthMemory(store, job.experiment).forget()
    job.log('info', had ? 'The normalisation of the experiment is forgotten.' : 'There was nothing to forget.')
  })
