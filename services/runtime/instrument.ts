import type { CommandDefinition } from '../../events/core/define-command.js'
import type { EventDefinition } from '../../events/core/define-event.js'
import type { JobDefinition } from '../../events/core/define-job.js'
import { defineError } from '../../events/core/errors.js'
import type { Settings, ValuesOf } from '../../events/core/setting.js'
import type { TopicRights } from '../../events/topic-rights.js'
import type { PartAftermath } from '../aftermath/aftermath.js'
import type { RetainedText } from '../aftermath/retained.js'
import type { ClaimedPorts, PortClaim } from '../transport/claimed-ports.js'
import type { BoardHardware } from '../transport/hardware.js'
import type { SafeContext } from './safe-state.js'
import type { Service, ServiceContext } from './service.js'

const InvalidInstrument = defineError(
  'instrument.invalid',
  'defect',
  'The declaration of an instrument is wrong, or contradicts another one.',
)

/** What an instrument is given at its start. */
export interface InstrumentContext<S extends Settings = Settings> extends ServiceContext {
  readonly hardware: BoardHardware
  /** The serial ports it claims. */
  readonly ports: ClaimedPorts
  readonly settings: ValuesOf<S>
}

/** What an instrument says of itself; everything that needs to know it is made from here. */
export interface InstrumentDeclaration<S extends Settings = Settings> {
  /** Lower case, digits and single underscores: a level of topics. */
  readonly name: string
  /** What it is, in one sentence. */
  readonly doc: string
  /** Its part of the topics, and who beside the services may publish there. */
  readonly topics: TopicRights
  /** What it publishes, but for the settings of jobs. */
  readonly events: readonly EventDefinition[]
  /** What it is ordered to do, but for the settings of jobs. */
  readonly commands: readonly CommandDefinition[]
  /** Its own settings of the environment. */
  readonly settings?: S
  /** The jobs it offers, for what must know them without it; their parameters may come from the configuration. */
  jobs?(): Promise<readonly JobDefinition[]>
  /** The serial ports it speaks to. */
  readonly serial?: PortClaim
  /** The steps of `makeSafe` that there always are. */
  readonly outputs: readonly string[]
  /** Switches everything off that can heat, move, light or polarise, in a process that knows nothing of what happened before. Steps that do not
   * need each other go side by side. Loads no more code than that takes: it runs whenever the services died. */
  makeSafe(context: SafeContext): Promise<void>
  /** Resolves when it works. What it throws, now or later, costs this instrument alone: it is stopped, made safe, and started again.
   * @param past what is retained of earlier lives, corrected. */
  start(context: InstrumentContext<S>, past: readonly RetainedText[]): Promise<Service>
  /** Retained events that are true only while it works: cleared when it ended, however that was. */
  readonly transient?: readonly EventDefinition[]
  /** What else of the retained values is false when it has died. */
  readonly aftermath?: PartAftermath
}

/** An instrument whatever its settings. */
export type Instrument = InstrumentDeclaration

const NAME = /^[a-z0-9]+(_[a-z0-9]+)*$/

/** Declares an instrument: a folder that the rest of the unit knows by this alone. `docs/add-an-instrument.md` builds one.
 *
 * ```ts
 * export const balance = defineInstrument({
 *   name: 'balance',
 *   doc: 'A serial balance.',
 *   topics: { root: 'balance' },
 *   events: [massEvent],
 *   commands: [tareCommand],
 *   serial: { usb: [{ vendorId: '0eb8', productId: 'f000' }], baudRate: 9600 },
 *   outputs: [],
 *   makeSafe: async () => undefined,
 *   start: async (context) => (await import('./start.js')).startBalance(context),
 *   transient: [massEvent],
 * })
 * ```
 *
 * @throws InvalidInstrument for a name that is none. */
export function defineInstrument<S extends Settings = Record<never, never>>(
  declaration: InstrumentDeclaration<S>,
): Instrument {
  const { name } = declaration
  if (!NAME.test(name)) {
    throw new InvalidInstrument(
      `An instrument cannot be called '${name}': a name is lower-case letters, digits and single underscores.`,
    )
  }
  return Object.freeze(declaration)
}

/** What the instruments claim of the serial ports, by name. */
export const portClaims = (instruments: readonly Instrument[]): Readonly<Record<string, PortClaim>> =>
  Object.fromEntries(instruments.flatMap(({ name, serial }) => (serial === undefined ? [] : [[name, serial]])))
