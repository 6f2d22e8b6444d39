import type { OdCalibration } from '../../../events/bioreactor/calibrations.js'
import type { OdEstimator } from '../../../events/bioreactor/estimators.js'
import { InvalidConfig } from '../../../events/config/errors.js'
import { defineError, InvalidInput, type LabError } from '../../../events/core/errors.js'
import type { UnitConfig } from '../../unit-admin/config/unit-config.js'
import { type Bioreactor, LED_CHANNELS, type LedChannel, PD_CHANNELS, type PdChannel } from '../board/board.js'
import type { Calibrations, Estimators } from '../calibrations/artifact-store.js'
import { CalibrationUnsuitable, EstimatorUnsuitable } from '../calibrations/calibrations.js'
import type { ExperimentStore } from '../experiment-store.js'
import { type Blank, readBlank } from './blank.js'
import type { PhotodiodeInput } from './photodiode-sampler.js'

const BlankAndCalibration = defineError(
  'od.blank_and_calibration',
  'state',
  'A blank and a calibration or estimator cannot both be applied to optical density.',
)

const ANGLES = ['45', '90', '135', '180'] as const
export type Angle = (typeof ANGLES)[number]

export interface SignalChannel {
  readonly channel: PdChannel
  readonly angle: Angle
}

/** Which photodiode looks where. */
export interface Photodiodes {
  /** At least one, by channel. */
  readonly signals: readonly SignalChannel[]
  readonly reference: PdChannel | null
}

const includes = <T extends string>(values: readonly T[], text: string): text is T =>
  (values as readonly string[]).includes(text)

/** Reads `[od_config.photodiode_channel]`. @throws InvalidInput for an unknown channel or angle, two references, or no signal. */
export function readPhotodiodes(config: UnitConfig): Photodiodes {
  const section = 'od_config.photodiode_channel'
  const signals: SignalChannel[] = []
  const references: PdChannel[] = []
  const refuse = (problem: string): never => {
    throw new InvalidConfig(`[${section}]: ${problem}`, { details: { section } })
  }
  for (const [channel, label] of config.entries(section)) {
    if (!includes(PD_CHANNELS, channel))
      return refuse(`channel is '${channel}'; allowed are ${PD_CHANNELS.join(', ')}.`)
    if (label === 'REF') references.push(channel)
    else if (includes(ANGLES, label)) signals.push({ channel, angle: label })
    else refuse(`channel ${channel} is '${label}'; allowed are REF, ${ANGLES.join(', ')}.`)
  }
  if (references.length > 1) refuse(`channels ${references.join(' and ')} are both REF; one may be.`)
  if (signals.length === 0) refuse('no channel has an angle; at least one must.')
  return { signals: signals.sort((a, b) => a.channel.localeCompare(b.channel)), reference: references[0] ?? null }
}

/** The converters behind them, signals first. One after the other: they may share a converter. @throws LabError */
export async function openPhotodiodes(
  bioreactor: Pick<Bioreactor, 'openPhotodiode'>,
  { signals, reference }: Photodiodes,
): Promise<readonly PhotodiodeInput[]> {
  const channels = [...signals.map(({ channel }) => channel), ...(reference === null ? [] : [reference])]
  const inputs: PhotodiodeInput[] = []
  for (const channel of channels) inputs.push({ channel, adc: await bioreactor.openPhotodiode(channel) })
  return inputs
}

/** The LED labelled `IR`. @throws InvalidInput when none is. */
export function readIrChannel(config: UnitConfig): LedChannel {
  const channel = config.channelOf('leds', 'IR')
  if (channel !== undefined && includes(LED_CHANNELS, channel)) return channel
  throw new InvalidInput('No LED channel A to D is labelled IR.', {
    remediation: 'Label one in section [leds] of the configuration.',
  })
}

export interface OdCorrections {
  /** Mean blank per channel, subtracted from the raw OD; empty without blank. */
  readonly blank: Blank
  readonly calibrations: ReadonlyMap<PdChannel, OdCalibration>
  /** What combines the angles; null without. */
  readonly estimator: OdEstimator | null
}

/** The device that the estimator of several angles belongs to. */
export const FUSED_OD = 'od_fused'

export interface CorrectionSources {
  readonly calibrations: Calibrations
  readonly estimators: Estimators
  readonly store: ExperimentStore
}

/** Active calibrations of the signal channels, the active estimator and the experiment's blank. @throws LabError when they contradict each other. */
export async function readCorrections(
  { signals }: Photodiodes,
  experiment: string,
  { calibrations: source, estimators, store }: CorrectionSources,
): Promise<OdCorrections> {
  const calibrations = new Map<PdChannel, OdCalibration>()
  for (const angle of new Set(signals.map((signal) => signal.angle))) {
    const calibration = await source.active(`od${angle}`)
    if (calibration === null) continue
    const { calibration_name: name, calibration_type: type, y } = calibration
    if (type !== 'od' && type !== 'od600')
      throw unsuitable(name, `is of type ${type}; it must be one of optical density`)
    const { pd_channel: channel } = calibration
    if (y !== 'Voltage') throw unsuitable(name, `gives ${y}; it must give Voltage`)
    const other = calibrations.get(channel)
    if (other !== undefined) throw unsuitable(name, `is for channel ${channel}, and so is '${other.calibration_name}'`)
    calibrations.set(channel, calibration)
  }
  const blank = await readBlank(store, experiment)
  const estimator = await activeFusion(estimators)
  if (Object.keys(blank).length > 0 && (calibrations.size > 0 || estimator !== null)) {
    throw new BlankAndCalibration('A blank cannot be combined with a calibration or an estimator.', {
      remediation: 'Delete the blank of this experiment (od_blank delete), or deactivate OD calibration and estimator.',
    })
  }
  return { blank, calibrations, estimator }
}

/** The estimator of several angles in use; null when none is. @throws EstimatorUnsuitable */
export async function activeFusion(estimators: Estimators): Promise<OdEstimator | null> {
  const estimator = await estimators.active(FUSED_OD)
  if (estimator === null || estimator.estimator_type === 'od_fused_estimator') return estimator
  throw new EstimatorUnsuitable(
    `Estimator '${estimator.estimator_name}' of ${FUSED_OD} is of type ${estimator.estimator_type}; it must be od_fused_estimator.`,
  )
}

const unsuitable = (name: string, problem: string): LabError =>
  new CalibrationUnsuitable(`OD calibration '${name}' ${problem}.`)
