import { isArtifactName } from '../../../../events/bioreactor/artifacts.js'
import { SessionRefused } from '../../../../events/bioreactor/calibration-sessions.js'
import type { ArtifactKind, Executor } from '../executor-port.js'
import { fields } from '../fields.js'
import type { At, Move, ProtocolStep, Shown } from '../protocol.js'

/** What a step that only tells something shows. */
type Told = Omit<Shown, 'type' | 'fields'>

type Telling<D> = Told | ((at: At<D>) => Told)

const telling =
  (type: 'info' | 'action') =>
  <D>(told: Telling<D>, to: string): ProtocolStep<D> => ({
    show: (at) => ({ type, ...(typeof told === 'function' ? told(at) : told) }),
    next: () => ({ to }),
  })

/** A page to read; any input goes on. */
export const page = telling('info')

/** Something for the user to do; any input says that it is done. */
export const task = telling('action')

/** As fast as stirring goes, RPM. */
export const MAX_RPM = 1500

/** Asks how fast samples are to be stirred while they are measured. */
export const stirringSpeed = <D extends { readonly rpm: number }>(to: string): ProtocolStep<D> => ({
  show: ({ data }) => ({
    type: 'form',
    title: 'Speed of the stir bar',
    body: 'Take the speed of your experiments.',
    fields: [fields.number('rpm', 'RPM', { default: data.rpm, minimum: 0, maximum: MAX_RPM })],
  }),
  next: ({ data }, inputs) => ({ to, data: { ...data, rpm: inputs.number('rpm') } }),
})

export const dateOf = (now: Date): string => now.toISOString().slice(0, 10)

/** @throws SessionRefused for a name that no file may have */
function checkName(field: string, name: string): string {
  if (isArtifactName(name)) return name
  throw new SessionRefused(
    `${field} is '${name.slice(0, 80)}'; it must be 1 to 255 letters, digits, '.', '_', '-' and single spaces between them.`,
    { details: { field } },
  )
}

interface Named {
  readonly name: string
}

interface Naming<D> {
  readonly ids: readonly [ask: string, overwrite: string]
  readonly field: 'calibration_name' | 'estimator_name'
  readonly kind: ArtifactKind
  standard(at: At<D>): string
  devices(at: At<D>): readonly string[]
  next(data: D): string
}

/** Asks for a name, and once more when something of this name is there already. */
export function naming<D extends Named>({ ids, field, kind, standard, devices, next }: Naming<D>) {
  const [ask, overwrite] = ids
  const what = kind === 'calibrations' ? 'calibration' : 'estimator'
  const steps: Readonly<Record<string, ProtocolStep<D>>> = {
    [ask]: {
      show: (at) => ({
        type: 'form',
        title: `Name the ${what}`,
        body: `Under which name is the ${what} to be stored?`,
        fields: [fields.text(field, `Name of the ${what}`, { default: at.data.name || standard(at) })],
      }),
      async next(at, inputs, executor): Promise<Move<D>> {
        const data = { ...at.data, name: checkName(field, inputs.text(field)) }
        const taken = await isTaken(executor, kind, devices(at), data.name)
        return { to: taken ? overwrite : next(data), data }
      },
    },
    [overwrite]: {
      show: ({ data }) => ({
        type: 'form',
        title: 'The name is taken',
        body: `There is a ${what} '${data.name}' already. Is it to be replaced?`,
        fields: [fields.flag('overwrite', 'Replace it', { default: false })],
      }),
      next: ({ data }, inputs) => ({ to: inputs.flag('overwrite') ? next(data) : ask }),
    },
  }
  return steps
}

async function isTaken(
  executor: Executor,
  kind: ArtifactKind,
  devices: readonly string[],
  name: string,
): Promise<boolean> {
  const stored = await Promise.all(devices.map((device) => executor.names(kind, device)))
  return stored.some((names) => names.includes(name))
}

/** Buttons that send given inputs. */
export const button = (label: string, inputs: Readonly<Record<string, unknown>>) => ({ actions: [{ label, inputs }] })

/** One line of a chart. */
export interface Series {
  readonly id: string
  readonly label: string
  readonly x: readonly number[]
  readonly y: readonly number[]
}

/** What has been measured so far, as clients draw it; nothing before the first point. */
export const chart = (title: string, x_label: string, y_label: string, series: readonly Series[]) =>
  series.some(({ y }) => y.length > 0)
    ? {
        chart: {
          title,
          x_label,
          y_label,
          series: series.map(({ id, label, x, y }) => ({
            id,
            label,
            points: y.map((value, index) => ({ x: x[index] ?? 0, y: value })),
          })),
        },
      }
    : {}

/** Number that the configuration gives. @throws SessionRefused when it gives something else */
export function configuredNumber(
  at: Pick<At<unknown>, 'config'>,
  section: string,
  option: string,
  standard: number,
): number {
  const text = at.config.find(section, option)?.trim() ?? ''
  if (text === '') return standard
  const value = Number(text)
  if (Number.isFinite(value)) return value
  throw new SessionRefused(`[${section}] ${option} is '${text}'; it must be a number.`, {
    details: { section, option },
  })
}
