import {
  type BioreactorVariable,
  bioreactorValues,
  DosingEvent,
  dosingEvent,
  type Liquid,
  type LiquidAccount,
  liquidEvent,
  PUMP_CALIBRATION,
  type Pumping,
} from '../../../events/bioreactor/liquids.js'
import { timestampOf } from '../../../events/core/timestamp.js'
import type { BusMessage, Clock, Logger, MessageBus } from '../../../events/ports.js'
import { type Correction, type RetainedText, recordIn } from '../../aftermath/retained.js'
import { PublishQueue } from '../../runtime/publish-queue.js'
import type { UnitConfig } from '../../unit-admin/config/unit-config.js'
import type { BioreactorModel } from '../board/hardware-tables.js'
import { addedMedium, correctLiquid, evolveLiquid, wasteMovedMl } from '../control/dosing/liquid.js'
import {
  accountMessages,
  dosingMessage,
  overflowMessages,
  publishedIn,
  settled,
  settlementMessages,
  variableMessages,
} from './account.js'

import { initialLiquid } from './initial-liquid.js'

/** How long an ending service waits until the last doses are on disk. */
const FLUSH_TIMEOUT_MS = 1500
/** Doses that are remembered, so that one that comes again is known: minutes of all pumps. */
const MAX_SEEN = 1000

/** What a pump has moved since it was told last. */
export interface PumpProgress {
  readonly event: string
  readonly source: string
  /** What went through the pump, mL. Of waste the book knows how much was liquid. */
  readonly pumpedMl: number
  /** What it will move at most from now on, and how fast; null when it stands. */
  readonly still: { readonly leftMl: number; readonly mlPerS: number } | null
}

export type LiquidValues = Readonly<Partial<Record<BioreactorVariable, number>>>

export interface LiquidBookDeps {
  readonly unit: string
  readonly clock: Clock
  readonly logger: Logger
  readonly bus: MessageBus
  readonly model: BioreactorModel
}

/** What an account said before a change, and what changed it. */
interface Before {
  readonly liquid: Liquid
  readonly by: Pick<DosingEvent, 'event' | 'source_of_event'>
  /** Also the variables that are as they were. */
  readonly publishAll?: true
}

/** The account of the liquid in the vial, per experiment: folded from every dose, of our pumps at once and of others when their event comes.
 * A dosing event and the account after it go out together, on one connection, in order, and never make a pump wait. */
export class LiquidBook {
  readonly model: BioreactorModel
  readonly #deps: LiquidBookDeps
  readonly #queue: PublishQueue
  readonly #accounts = new Map<string, LiquidAccount>()
  readonly #listeners = new Set<(experiment: string) => void>()
  /** Doses that are in the account, word for word: our own come back from the broker, and whoever loses the connection before the acknowledgement
   * tells one twice. */
  readonly #seen = new Set<string>()
  #unsubscribe: () => Promise<void> = async () => undefined
  #lastPumpingMs: number | null = null

  constructor(deps: LiquidBookDeps) {
    this.#deps = deps
    this.model = deps.model
    this.#queue = new PublishQueue(deps.bus, deps.logger)
  }

  /** Takes up the accounts of earlier lives, and follows the doses of others. */
  async start(past: readonly RetainedText[]): Promise<void> {
    const { unit, bus, clock } = this.#deps
    const texts = new Map(past.map(({ topic, text }) => [topic, text]))
    for (const value of past) {
      const of = liquidEvent.levels(value.topic)
      const account = of?.unit === unit ? recordIn(liquidEvent.payload, value) : null
      if (of === null || account === null) continue
      // Whoever died with pumps running: safe-state has switched them off by now.
      const now = settled(account, clock.now().getTime())
      const published = publishedIn(texts, of)
      this.#accounts.set(of.experiment, now.account)
      // A kill may have come between the account and the variables, too.
      this.#push(
        now.account === account
          ? variableMessages(of, account.liquid, published)
          : settlementMessages(of, account, now, published),
      )
    }
    this.#unsubscribe = await bus.subscribe(dosingEvent.filter({ unit }), (message) => this.#follow(message))
  }

  /** The vial of an experiment. The first to ask begins its account with what the configuration says. @throws InvalidConfig */
  open(experiment: string, config: UnitConfig): Liquid {
    const liquid = this.peek(experiment, config)
    if (!this.#accounts.has(experiment)) this.#enter(experiment, { liquid, pumping: [] }, null)
    return liquid
  }

  /** What is in the vial of an experiment, or what its account would begin with. @throws InvalidConfig */
  peek(experiment: string, config: UnitConfig): Liquid {
    return this.#accounts.get(experiment)?.liquid ?? initialLiquid(config, this.model.reactor_capacity_ml)
  }

  /** @throws Error when nobody has opened it */
  liquid(experiment: string): Liquid {
    const account = this.#accounts.get(experiment)
    if (account === undefined) throw new Error(`The account of ${experiment} is not open.`)
    return account.liquid
  }

  /** When a pump moved something last, whoever had switched it on, Unix s; null before the first. */
  get lastPumpingS(): number | null {
    return this.#lastPumpingMs === null ? null : this.#lastPumpingMs / 1000
  }

  /** Enters what a pump has moved, and tells it. @returns how much of it was liquid, mL */
  enter(experiment: string, { event, source, pumpedMl, still }: PumpProgress): number {
    const timestamp = timestampOf(this.#deps.clock.now())
    const told = { event, source_of_event: source, timestamp }
    if (source === PUMP_CALIBRATION) {
      this.#tell(experiment, { ...told, volume_change: pumpedMl })
      return pumpedMl
    }
    const account = this.#accounts.get(experiment)
    if (account === undefined) throw new Error(`The account of ${experiment} is not open.`)
    const isWaste = addedMedium(event) === null
    const volume_change = isWaste ? wasteMovedMl(account.liquid, pumpedMl) : pumpedMl
    this.#tell(experiment, { ...told, volume_change })
    const others = account.pumping.filter((pumping) => pumping.event !== event)
    const pumping: Pumping[] =
      still === null
        ? []
        : [{ event, source_of_event: source, since: timestamp, left_ml: still.leftMl, ml_per_s: still.mlPerS }]
    const liquid = evolveLiquid(account.liquid, { event, volume_change }, this.model.reactor_capacity_ml)
    const by = { event, source_of_event: source }
    this.#enter(experiment, { liquid, pumping: [...others, ...pumping] }, { liquid: account.liquid, by })
    return volume_change
  }

  /** What somebody looked up of the vial. @returns what was in it by the account, and what is now
   * @throws ImpossibleVolume naming field, value and limit, and InvalidConfig; nothing changes then */
  correct(
    experiment: string,
    values: LiquidValues,
    config: UnitConfig,
  ): { readonly from: Liquid; readonly to: Liquid } {
    const from = this.peek(experiment, config)
    const to = correctLiquid(from, values, this.model.reactor_capacity_ml)
    const { pumping = [] } = this.#accounts.get(experiment) ?? {}
    const by = { event: 'correction', source_of_event: null }
    this.#enter(experiment, { liquid: to, pumping }, { liquid: from, by, publishAll: true })
    return { from, to }
  }

  /** Calls back after every change. Returns the function that ends it. */
  watch(listener: (experiment: string) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Resolves when everything entered so far is on disk, as far as that can be waited for. */
  recorded(): Promise<void> {
    return this.#queue.acknowledged(FLUSH_TIMEOUT_MS)
  }

  async stop(): Promise<void> {
    await this.#queue.drain(FLUSH_TIMEOUT_MS)
    await this.#unsubscribe()
  }

  #enter(experiment: string, entry: Pick<LiquidAccount, 'liquid' | 'pumping'>, before: Before | null): void {
    const of = { unit: this.#deps.unit, experiment }
    const timestamp = timestampOf(this.#deps.clock.now())
    const account = { ...entry, capacity_ml: this.model.reactor_capacity_ml, timestamp }
    this.#accounts.set(experiment, account)
    const values = before === null || before.publishAll === true ? null : bioreactorValues(before.liquid)
    this.#push(accountMessages(of, account, (variable) => values?.[variable]))
    if (before !== null) this.#push(overflowMessages(of, account, before.liquid, before.by))
    for (const listener of this.#listeners) listener(experiment)
  }

  /** Doses of others: of a plugin, or a program beside us. */
  #follow({ topic, payload, retain }: BusMessage): void {
    const experiment = dosingEvent.levels(topic)?.experiment
    const text = payload.toString()
    if (experiment === undefined || retain || !this.#isNew(topic, text)) return
    const account = this.#accounts.get(experiment)
    const dose = recordIn(DosingEvent, { topic, text })
    if (account === undefined || dose === null || dose.source_of_event === PUMP_CALIBRATION) return
    const liquid = evolveLiquid(account.liquid, dose, this.model.reactor_capacity_ml)
    this.#lastPumpingMs = this.#deps.clock.now().getTime()
    this.#enter(experiment, { liquid, pumping: account.pumping }, { liquid: account.liquid, by: dose })
  }

  #tell(experiment: string, dose: DosingEvent): void {
    this.#lastPumpingMs = this.#deps.clock.now().getTime()
    if (dose.volume_change <= 0) return
    const message = dosingMessage({ unit: this.#deps.unit, experiment }, dose)
    this.#isNew(message.topic, message.payload)
    this.#push([message])
  }

  /** Whether it is told for the first time; from now on it is known. */
  #isNew(topic: string, text: string): boolean {
    const dose = `${topic} ${text}`
    if (this.#seen.has(dose)) return false
    this.#seen.add(dose)
    const [oldest] = this.#seen
    if (this.#seen.size > MAX_SEEN && oldest !== undefined) this.#seen.delete(oldest)
    return true
  }

  #push(messages: readonly Correction[]): void {
    for (const { topic, payload, retain } of messages) this.#queue.push(topic, payload, retain)
  }
}
