import { errorCodeEvent } from '../../../events/bioreactor/outputs.js'
import type { ParametersOf } from '../../../events/core/define-job.js'
import type { JobContext } from '../../jobs/job.js'
import type { Bioreactor } from '../board/board.js'
import type { LedBoard } from '../board/led-board.js'
import { PartMissing } from '../errors.js'
import type { ExperimentStore } from '../experiment-store.js'
import type { Blank } from './blank.js'
import { IrReference } from './ir-reference.js'
import { openPhotodiodes, type Photodiodes, readIrChannel } from './od-optics.js'
import { OdReader } from './od-reader.js'
import type { odReading } from './od-reading.js'
import { TOO_BRIGHT } from './od-series.js'
import { PhotodiodeSampler } from './photodiode-sampler.js'

/** What it reads with, and for whom. */
export interface OdReaderDeps {
  readonly bioreactor: Bioreactor
  readonly leds: LedBoard
  readonly store: ExperimentStore
  readonly photodiodes: Photodiodes
  /** Whose first reading the light is relative to. */
  readonly experiment: string
  readonly blank: Blank
}

/** Opens photodiodes and IR LED for readings; nothing is lit. @throws PartMissing, InvalidInput */
export async function openOdReader(
  job: Pick<JobContext, 'clock' | 'config' | 'emit' | 'log' | 'experiment'>,
  params: ParametersOf<typeof odReading>,
  { bioreactor, leds, store, photodiodes, experiment, blank }: OdReaderDeps,
): Promise<OdReader> {
  const { clock, config } = job
  const irChannel = readIrChannel(config)
  if (!(await bioreactor.isHatPresent())) {
    throw new PartMissing('The HAT does not answer.', { remediation: 'Attach the HAT.' })
  }
  const { reference } = photodiodes
  const sampler = new PhotodiodeSampler({
    clock,
    inputs: await openPhotodiodes(bioreactor, photodiodes),
    mainsHz: params.local_ac_hz ?? null,
    useDarkOffsets: params.use_dark_offsets,
    onNearLimit: (channel, volts) => {
      job.log('warning', `Photodiode ${channel} is at ${volts.toFixed(2)} V, near its limit of 3.2 V; dim the IR LED.`)
      job.emit(errorCodeEvent, TOO_BRIGHT)
    },
    onUnsolvable: (channel) =>
      job.log('error', `Mains light on photodiode ${channel} could not be fitted; using the mean.`),
  })
  const { ref_normalization: normalization, pd_reference_ema: alpha } = params
  return new OdReader({
    job,
    leds,
    sampler,
    photodiodes,
    reference: reference === null ? null : new IrReference({ experiment, store, normalization, alpha }),
    irChannel,
    othersOff: params.turn_off_leds_during_reading,
    settleS: params.led_settle_s,
    blank,
  })
}
