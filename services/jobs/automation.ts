import type { AutomationEvent } from '../../events/bioreactor/automations.js'
import type { PidStep } from '../../events/bioreactor/outputs.js'
import {
  type AutomationDeclaration,
  type AutomationDefinition,
  type AutomationKind,
  type AutomationValues,
  defineAutomation,
} from '../../events/core/define-automation.js'
import type { Parameters, Values, WellFormed } from '../../events/core/parameter.js'

/** When an automation is asked what to do.
 * - `periodic`: 2 s after it is ready, and then every `duration` minutes, a parameter it must have.
 * - `on_news`: when its host has news for it, such as a new temperature or reading.
 * - `continuous`: at its start, after every change of its settings and after a pause; else when it asked for it. */
export type Schedule = 'periodic' | 'on_news' | 'continuous'

/** Why it is asked now. */
export type Cause = 'start' | 'period' | 'news' | 'changed' | 'woken' | 'asked'

/** What an automation is shown. */
export interface View<Seen, P, Memory> {
  readonly seen: Seen
  /** Its own parameters as they are in force. */
  readonly settings: P
  /** What it remembered when it was asked before. */
  readonly memory: Memory
  readonly cause: Cause
}

/** What an automation wants. Everything is optional: nothing leaves the outputs as they are. */
export interface Decision<Want, Memory> {
  readonly want?: Want | undefined
  readonly memory?: Memory
  /** It wants to be asked again after so many seconds. */
  readonly askAgainS?: number | undefined
  /** What it has to tell when nothing is to be done. */
  readonly event?: AutomationEvent
  /** A step of its controller, for those who watch it. */
  readonly pid?: PidStep
  /** Why it cannot go on by itself: the job is put to sleep. */
  readonly pause?: string | undefined
}

/** How an automation behaves. Both functions are pure: time, chance and hardware stay with the host. */
export interface Behaviour<Seen, Want, Done, P, Memory> {
  readonly schedule: Schedule
  /** What it remembers at its start. */
  readonly memory?: Memory
  decide(view: View<Seen, P, Memory>): Decision<Want, Memory>
  /** The event of what was really done. */
  report?(done: Done, want: Want, view: View<Seen, P, Memory>): AutomationEvent | null
}

/** An automation of a kind: declared parameters and a decision. */
export interface Automation<Seen, Want, Done> {
  readonly definition: AutomationDefinition
  readonly behaviour: Behaviour<Seen, Want, Done, Values, unknown>
}

/** The function that makes automations of a kind, typed by what its host shows, can do and has done.
 *
 * ```ts
 * const ledAutomation = automationsOf<LedSeen, LedWant, LedWant>()(ledKind)
 *
 * const blinking = ledAutomation(
 *   {
 *     name: 'blinking',
 *     help: 'A second of light, a second of darkness.',
 *     parameters: {
 *       light_intensity: {
 *         schema: Type.Number({ minimum: 0, maximum: 100 }),
 *         unit: '%',
 *         doc: 'Of LED B.',
 *         settable: true,
 *       },
 *     },
 *   },
 *   {
 *     schedule: 'continuous',
 *     decide: ({ seen, settings }) => ({
 *       want: { B: Math.floor(seen.elapsedS) % 2 === 0 ? settings.light_intensity : 0 },
 *       askAgainS: 1 - (seen.elapsedS % 1),
 *     }),
 *   },
 * )
 * ``` */
export const automationsOf =
  <Seen, Want, Done>() =>
  <K extends Parameters>(kind: AutomationKind<K>) =>
  <const P extends Parameters, Memory = null>(
    declaration: AutomationDeclaration<P & WellFormed<P>>,
    behaviour: Behaviour<Seen, Want, Done, AutomationValues<P>, Memory>,
  ): Automation<Seen, Want, Done> => ({
    definition: defineAutomation<P, K>(kind, declaration) as unknown as AutomationDefinition,
    // The host hands over just what this declaration makes; its types are known only here.
    behaviour: behaviour as unknown as Automation<Seen, Want, Done>['behaviour'],
  })
