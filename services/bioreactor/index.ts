import type { JobDefinition } from '../../events/core/define-job.js'
import type { Clock } from '../../events/ports.js'
import { createAutomationJob } from '../jobs/automation-host.js'
import type { Job } from '../jobs/job.js'
import type { Bioreactor } from './board/board.js'
import { LedBoard } from './board/led-board.js'
import { PwmBoard } from './board/pwm-board.js'
import type { Calibrations, Estimators } from './calibrations/artifact-store.js'
import { dosingAutomations } from './dosing/automations/index.js'
import { openDosing } from './dosing/dosing-port.js'
import { createExperimentFiles, type ExperimentStore } from './experiment-store.js'
import {
  clearGrowthCache,
  createClearGrowthCacheAction,
  createGrowthRateJob,
  growthRateCalculating,
} from './growth/growth-rate-calculating.js'
import { leaderEntries } from './leader/leader-entries.js'
import { ledAutomations } from './leds/automations/index.js'
import { openLeds } from './leds/led-automation.js'
import { createLedIntensityAction, ledIntensity } from './leds/led-intensity.js'
import { circulateAltMedia, circulateMedia, createCirculation } from './liquids/circulate.js'
import type { LiquidBook } from './liquids/liquid-book.js'
import { addAltMedia, addMedia, createPumpAction, removeWaste } from './liquids/pump-action.js'
import { createPumpScript, pumpScript } from './liquids/pump-script.js'
import { WASTE } from './liquids/pump-spec.js'
import { type Machine, thisComputer } from './monitor/machine.js'
import { createMonitorJob, monitor } from './monitor/monitor.js'
import { createDeleteBlankAction, createOdBlankAction, deleteBlank, odBlank } from './od/od-blank.js'
import { createOdReadingJob, odReading } from './od/od-reading.js'
import { mqttToDbStreaming, mqttToDbStreamingJob } from './recording/mqtt-to-db-streaming.js'
import { createSelfTestAction, selfTest } from './self-test/self-test.js'
import { createStirringJob, stirring } from './stirring/stirring.js'
import { temperatureAutomations } from './temperature/automations/index.js'
import { Heater } from './temperature/heater.js'
import { openTemperature } from './temperature/open-temperature.js'

/** What the jobs of one board share. */
export interface Board {
  readonly bioreactor: Bioreactor
  readonly pwm: PwmBoard
  readonly leds: LedBoard
  readonly heater: Heater
  readonly calibrations: Calibrations
  readonly estimators: Estimators
  readonly store: ExperimentStore
  /** Directory of config.ini, calibrations and storage. */
  readonly dotPioreactor: string
  /** What is in the vial. */
  readonly book: LiquidBook
  readonly machine: Machine
  readonly random: () => number
}

/** The jobs this unit offers. A new one has its line here. */
const JOBS: readonly { readonly definition: JobDefinition; readonly create: (board: Board) => Job }[] = [
  { definition: stirring, create: createStirringJob },
  { definition: odReading, create: createOdReadingJob },
  { definition: growthRateCalculating, create: createGrowthRateJob },
  { definition: clearGrowthCache, create: createClearGrowthCacheAction },
  { definition: odBlank, create: createOdBlankAction },
  { definition: deleteBlank, create: createDeleteBlankAction },
  { definition: addMedia, create: createPumpAction(addMedia, 'media') },
  { definition: addAltMedia, create: createPumpAction(addAltMedia, 'alt_media') },
  { definition: removeWaste, create: createPumpAction(removeWaste, WASTE) },
  { definition: circulateMedia, create: createCirculation(circulateMedia, 'media') },
  { definition: circulateAltMedia, create: createCirculation(circulateAltMedia, 'alt_media') },
  { definition: pumpScript, create: createPumpScript },
  ...dosingAutomations.map((automation) => ({
    definition: automation.definition,
    create: (board: Board) => createAutomationJob(automation, openDosing(board, automation.pumps)),
  })),
  ...ledAutomations.map((automation) => ({
    definition: automation.definition,
    create: ({ leds }: Board) => createAutomationJob(automation, openLeds(leds)),
  })),
  { definition: ledIntensity, create: createLedIntensityAction },
  ...temperatureAutomations.map((automation) => ({
    definition: automation.definition,
    create: (board: Board) => createAutomationJob(automation, openTemperature(board)),
  })),
  { definition: monitor, create: createMonitorJob },
  { definition: selfTest, create: createSelfTestAction },
  { definition: mqttToDbStreaming, create: () => mqttToDbStreamingJob },
  ...leaderEntries,
]

export const jobDefinitions: readonly JobDefinition[] = JOBS.map(({ definition }) => definition)

export interface BioreactorDeps {
  readonly bioreactor: Bioreactor
  readonly dotPioreactor: string
  readonly clock: Clock
  readonly calibrations: Calibrations
  readonly estimators: Estimators
  readonly store?: ExperimentStore
  readonly book: LiquidBook
  readonly machine?: Machine
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** These two are what a watchdog looks at. */
  readonly pwm?: PwmBoard
  readonly leds?: LedBoard
}

/** The jobs themselves, on one board. @param more jobs beside those of the product. */
export function createBioreactorJobs(
  {
    bioreactor,
    dotPioreactor,
    clock,
    calibrations,
    estimators,
    store = createExperimentFiles(dotPioreactor),
    book,
    machine = thisComputer(dotPioreactor),
    random,
    pwm = new PwmBoard(bioreactor, clock),
    leds = new LedBoard(bioreactor.leds, clock),
  }: BioreactorDeps,
  more: (board: Board) => readonly Job[] = () => [],
): readonly Job[] {
  const heater = new Heater(bioreactor, pwm, clock)
  const board: Board = {
    bioreactor,
    pwm,
    leds,
    heater,
    calibrations,
    estimators,
    store,
    dotPioreactor,
    book,
    machine,
    random,
  }
  return [...JOBS.map(({ create }) => create(board)), ...more(board)]
}
