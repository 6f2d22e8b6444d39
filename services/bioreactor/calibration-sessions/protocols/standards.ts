import { type Static, Type } from '@sinclair/typebox'
import { SessionRefused } from '../../../../events/bioreactor/calibration-sessions.js'
import type { UnitConfig } from '../../../unit-admin/config/unit-config.js'
import { fitSpline } from '../../control/curve-fit/spline.js'
import { readPhotodiodes } from '../../od/od-optics.js'
import type { Executor } from '../executor-port.js'
import { fields } from '../fields.js'
import { type At, defineProtocol, type ProtocolStep } from '../protocol.js'
import { demandOptics, irIntensity } from './optics.js'
import { button, chart, configuredNumber, dateOf, naming, page, stirringSpeed } from './steps.js'

/** Optical density against the light of each photodiode, from standards and a blank. Source: Pioreactor 26.7 `standards`. */

const Data = Type.Object({
  name: Type.String(),
  /** Angle by photodiode. */
  channel_angle_map: Type.Record(Type.String(), Type.String()),
  od600_values: Type.Array(Type.Number()),
  voltages_by_channel: Type.Record(Type.String(), Type.Array(Type.Number())),
  rpm: Type.Number(),
})
type Data = Static<typeof Data>
type Step = ProtocolStep<Data>

const summary = ({ channel_angle_map }: Data): string =>
  Object.entries(channel_angle_map)
    .map(([channel, angle]) => `photodiode ${channel} at ${angle}°`)
    .join(', ')

const measured = ({ od600_values: x, voltages_by_channel, channel_angle_map }: Data) =>
  chart(
    'Standards so far',
    'OD600',
    'Voltage',
    Object.entries(voltages_by_channel).map(([channel, y]) => ({
      id: channel,
      label: `${channel} (${channel_angle_map[channel]}°)`,
      x,
      y,
    })),
  )

/** What is in the holder, measured and entered. */
async function withStandard({ data }: At<Data>, od: number, executor: Executor): Promise<Data> {
  const seen = await executor.standard(data.rpm)
  const voltages = Object.entries(data.voltages_by_channel).map(([channel, before]): [string, number[]] => {
    const volts = seen[channel]
    if (volts === undefined) throw new SessionRefused(`Photodiode ${channel} gave no reading.`)
    return [channel, [...before, volts]]
  })
  return { ...data, od600_values: [...data.od600_values, od], voltages_by_channel: Object.fromEntries(voltages) }
}

const withoutLast = (data: Data): Data => ({
  ...data,
  od600_values: data.od600_values.slice(0, -1),
  voltages_by_channel: Object.fromEntries(
    Object.entries(data.voltages_by_channel).map(([channel, volts]) => [channel, volts.slice(0, -1)]),
  ),
})

const measureStandard: Step = {
  show: ({ data }) => ({
    type: 'form',
    title: 'Measure the standard',
    body: 'What is its OD600? Its light is measured when you go on, which takes about half a minute.',
    fields: [fields.number('od600_value', 'OD600', { minimum: 0 })],
    metadata: measured(data),
  }),
  next: async (at, inputs, executor) => ({
    to: 'another_standard',
    data: await withStandard(at, inputs.number('od600_value'), executor),
  }),
}

const ANOTHER = 'record another standard'
const BLANK = 'continue to blank (media only)'

const anotherStandard: Step = {
  show: ({ data }) => ({
    type: 'form',
    title: 'One more?',
    body: `${data.od600_values.length} measured. The more standards, and the wider their range, the better.`,
    fields: [fields.choice('next_action', 'Next', { options: [ANOTHER, BLANK], default: ANOTHER })],
    metadata: { ...measured(data), ...button('Measure the last one again', { action: 'redo_last' }) },
  }),
  next: ({ data }, inputs) => {
    if (inputs.action === 'redo_last') return { to: 'place_standard', data: withoutLast(data) }
    return { to: inputs.text('next_action') === BLANK ? 'place_blank' : 'place_standard' }
  },
}

const measureBlank: Step = {
  show: ({ data }) => ({
    type: 'form',
    title: 'Measure the blank',
    body: 'What is the OD600 of the medium? 0, unless it was measured otherwise.',
    fields: [fields.number('od600_blank', 'OD600 of the blank', { default: 0, minimum: 0 })],
    metadata: measured(data),
  }),
  async next(at, inputs, executor) {
    const data = await withStandard(at, inputs.number('od600_blank'), executor)
    const channels = Object.entries(data.channel_angle_map).sort(([one], [other]) => Number(one) - Number(other))
    // All fitted before the first is stored.
    const fitted = channels.map(([channel, angle], index) => {
      const x = data.od600_values
      const y = data.voltages_by_channel[channel] ?? []
      // Of two photodiodes at one angle the second must not replace the first.
      const isSecond = channels.slice(0, index).some(([, other]) => other === angle)
      const calibration = {
        calibration_type: 'od600',
        calibration_name: isSecond ? `${data.name}-pd${channel}` : data.name,
        curve_data_: fitSpline({ x, y }),
        x: 'OD600',
        y: 'Voltage',
        recorded_data: { x, y },
        ir_led_intensity: irIntensity(at.config),
        angle,
        pd_channel: channel,
      }
      return { device: `od${angle}`, calibration }
    })
    const calibrations = []
    for (const { device, calibration } of fitted) {
      const { path } = await executor.saveCalibration(device, calibration)
      calibrations.push({ device, calibration_name: calibration.calibration_name, path })
    }
    return { complete: { title: 'Optical density calibrated', calibrations } }
  },
}

/** `od45` and so on, and `od` for all of them together where there are several. */
function odDevices(config: UnitConfig): readonly string[] {
  // As they are labelled; what is wrong there is said at the start of a session.
  const labels = config.entries('od_config.photodiode_channel').map(([, label]) => label)
  const angles = new Set(labels.filter((label) => ['45', '90', '135'].includes(label)))
  const devices = [...angles].map((angle) => `od${angle}`)
  return devices.length >= 2 ? ['od', ...devices] : devices
}

export const standards = defineProtocol({
  name: 'standards',
  title: 'OD600 calibration using standards',
  description: 'Calibrates the {device} photodiodes with samples of known optical density and a blank.',
  requirements: ['Standards of known OD600, and a blank', 'Vials', 'Stir bars'],
  devices: odDevices,
  data: Data,
  first: 'intro',
  begin(unit, device, executor) {
    demandOptics(unit.config, executor)
    const { signals, reference } = readPhotodiodes(unit.config)
    if (reference === null) throw new SessionRefused('No photodiode is labelled REF; calibrating needs one.')
    const own = signals.filter(({ angle }) => device === 'od' || device === `od${angle}`)
    if (own.length === 0) throw new SessionRefused(`No photodiode has the angle of ${device}.`)
    return {
      name: '',
      channel_angle_map: Object.fromEntries(own.map(({ channel, angle }) => [channel, angle])),
      od600_values: [],
      voltages_by_channel: Object.fromEntries(own.map(({ channel }) => [channel, []])),
      rpm: configuredNumber(unit, 'stirring.config', 'initial_target_rpm', 500),
    }
  },
  steps: {
    intro: {
      show: ({ data }) => ({
        type: 'info',
        title: 'Calibration of optical density',
        body: `You need samples of known OD600 and a blank, each in its vial with a stir bar. They are measured one after the other, by ${summary(data)}.`,
      }),
      next: () => ({ to: 'name_input' }),
    },
    ...naming<Data>({
      ids: ['name_input', 'name_overwrite_confirm'],
      field: 'calibration_name',
      kind: 'calibrations',
      standard: ({ now }) => `od-cal-${dateOf(now)}`,
      devices: ({ data }) => Object.values(data.channel_angle_map).map((angle) => `od${angle}`),
      next: ({ channel_angle_map }) => (Object.keys(channel_angle_map).length > 1 ? 'channel_confirm' : 'rpm_input'),
    }),
    channel_confirm: {
      show: ({ data }) => ({
        type: 'info',
        title: 'Several photodiodes',
        body: `Each gets a calibration of its own: ${summary(data)}.`,
      }),
      next: () => ({ to: 'rpm_input' }),
    },
    rpm_input: stirringSpeed<Data>('place_standard'),
    place_standard: page<Data>(
      ({ data }) => ({
        title: `Standard ${data.od600_values.length + 1}`,
        body: 'Put the vial with the standard and its stir bar into the holder, and close it.',
        metadata: measured(data),
      }),
      'measure_standard',
    ),
    measure_standard: measureStandard,
    another_standard: anotherStandard,
    place_blank: page<Data>(
      { title: 'Blank', body: 'Put the vial with medium alone and its stir bar into the holder, and close it.' },
      'measure_blank',
    ),
    measure_blank: measureBlank,
  },
})
