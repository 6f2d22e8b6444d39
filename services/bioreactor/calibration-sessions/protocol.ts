import type { Static, TObject } from '@sinclair/typebox'
import type { SessionField, SessionStep } from '../../../events/bioreactor/calibration-sessions.js'
import { InvalidDeclaration } from '../../../events/core/check-declaration.js'
import { check } from '../../../events/schema.js'
import type { UnitConfig } from '../../unit-admin/config/unit-config.js'
import type { BioreactorModel } from '../board/hardware-tables.js'
import type { Executor } from './executor-port.js'
import type { Inputs } from './fields.js'

/** What a protocol knows of the unit without asking its hardware. */
export interface UnitFacts {
  readonly unit: string
  readonly config: UnitConfig
  readonly model: BioreactorModel
  readonly now: Date
}

/** Where a session stands, as its protocol sees it. */
export interface At<Data> extends UnitFacts {
  readonly sessionId: string
  readonly device: string
  readonly data: Data
}

/** What a step shows; what is left out is empty. */
export interface Shown {
  readonly type: SessionStep['step_type']
  readonly title: string
  readonly body: string
  readonly fields?: readonly SessionField[]
  readonly metadata?: Readonly<Record<string, unknown>>
}

/** What comes after a step: another one, the end with a result, or the end without. */
export type Move<Data> =
  | { readonly to: string; readonly data?: Data }
  | { readonly complete: Readonly<Record<string, unknown>> }
  | { readonly failed: string }

export interface ProtocolStep<Data> {
  show(at: At<Data>): Shown
  /** @param executor what the step orders of the unit; when that fails, the session stays where it is.
   * @throws LabError when the step cannot go on; nothing has changed then */
  next(at: At<Data>, inputs: Inputs, executor: Executor): Promise<Move<Data>> | Move<Data>
}

interface Described {
  readonly name: string
  /** Lower is listed earlier; 99 by default. */
  readonly priority?: number
  /** `{device}` stands for the device. */
  readonly title: string
  readonly description: string
  readonly requirements: readonly string[]
  /** The devices of this unit that it can calibrate. */
  devices(config: UnitConfig): readonly string[]
}

interface ProtocolDeclaration<S extends TObject> extends Described {
  /** What it remembers from step to step: JSON, because a session outlives the process. */
  readonly data: S
  readonly first: string
  readonly steps: Readonly<Record<string, ProtocolStep<Static<S>>>>
  /** What it remembers at first. @throws LabError when it cannot begin now */
  begin(unit: UnitFacts, device: string, executor: Executor): Promise<Static<S>> | Static<S>
}

/** A declared protocol, whatever it remembers. */
export interface Protocol extends Described {
  readonly first: string
  readonly priority: number
  readonly steps: Readonly<Record<string, ProtocolStep<unknown>>>
  begin(unit: UnitFacts, device: string, executor: Executor): Promise<Record<string, unknown>>
}

/** Declares a guided calibration once: its steps, what it asks for, and what it stores at its end. Its line in `protocols/index.ts` offers it.
 *
 * ```ts
 * const zeroOfBalance = defineProtocol({
 *   name: 'zero',
 *   title: 'Zero of the {device}',
 *   description: 'Takes an empty pan as zero.',
 *   requirements: ['A clean pan'],
 *   devices: () => ['balance'],
 *   data: Type.Object({}),
 *   first: 'empty',
 *   steps: {
 *     empty: {
 *       show: () => ({ type: 'form', title: 'Empty the pan', body: 'What does it show?', fields: [fields.number('grams', 'g')] }),
 *       next: (_, inputs) => ({ complete: { zero_g: inputs.number('grams') } }),
 *     },
 *   },
 *   begin: () => ({}),
 * })
 * ```
 * @throws InvalidDeclaration when the first step is none of its steps */
export function defineProtocol<S extends TObject>(declaration: ProtocolDeclaration<S>): Protocol {
  const { name, first, steps, data, priority = 99, begin } = declaration
  if (!Object.hasOwn(steps, first)) throw new InvalidDeclaration(`Protocol '${name}' has no step '${first}'.`)
  // What a session remembers may have been written by an earlier version.
  const typed = (at: At<unknown>): At<Static<S>> => ({ ...at, data: check(data, at.data, 'data') })
  const erased = Object.entries(steps).map(([id, step]): [string, ProtocolStep<unknown>] => [
    id,
    { show: (at) => step.show(typed(at)), next: (at, inputs, executor) => step.next(typed(at), inputs, executor) },
  ])
  return Object.freeze({
    ...declaration,
    priority,
    steps: Object.fromEntries(erased),
    begin: async (unit: UnitFacts, device: string, executor: Executor) => ({
      ...(await begin(unit, device, executor)),
    }),
  })
}
