import { isDefect, LabError } from '../../../events/core/errors.js'
import { timestampOf } from '../../../events/core/timestamp.js'
import type { Clock, Logger, MessageBus } from '../../../events/ports.js'
import { RunNotRecorded } from '../../../events/potentiostat/errors.js'
import type { ModeReport } from '../../../events/potentiostat/mode-report.js'
import { type RunOrder, runOrderEvent } from '../../../events/potentiostat/run-order.js'
import { runProgressEvent, type SlotState, slotStateEvent } from '../../../events/potentiostat/run-state.js'
import { type SampleLoss, sampleLossEvent } from '../../../events/potentiostat/samples.js'
import { upcastWarnings } from '../../../events/run-warnings.js'
import { AcquisitionStats } from '../acquisition/acquisition-stats.js'
import { measure } from '../acquisition/driver.js'
import type { MeasurementPlan } from '../acquisition/plan.js'
import type { Potentiostat } from '../device/device.js'
import { CellNotOpened, MeasurementAborted, MeasurementInterrupted, SamplesLost } from '../errors.js'
import { warningsText } from '../evaluation/run-warnings.js'
import { BlockBuilder } from '../evaluation/samples.js'
import { RunPublisher } from './publisher.js'
import type { Gain } from './run-order.js'
import { RunProgressMeter } from './run-progress.js'

export interface RunDeps {
  readonly bus: MessageBus
  readonly box: string
  readonly clock: Clock
  readonly logger: Logger
}

/** A slot of the run with the device in it. */
export interface RunSlot {
  readonly name: string
  readonly device: Potentiostat
  readonly serialNumber: string | null
  /** Gives the slot back. */
  release(): void
}

const PROGRESS_MS = 1000
const CANCELLED = 'cancelled'

/** One accepted order being carried out: slots in parallel, the modes of a slot in sequence. A slot whose mode does not deliver every
 * row fails with the reason and measures nothing more; the others go on. */
export class Run {
  readonly order: RunOrder
  readonly #deps: RunDeps
  readonly #plans: readonly MeasurementPlan[]
  readonly #gain: Gain
  readonly #stop = new AbortController()
  readonly #publisher: RunPublisher
  readonly #meter: RunProgressMeter

  constructor(order: RunOrder, plans: readonly MeasurementPlan[], gain: Gain, deps: RunDeps) {
    this.order = order
    this.#deps = deps
    this.#plans = plans
    this.#gain = gain
    this.#publisher = new RunPublisher(deps.bus, (reason) => this.end(`Samples could not be recorded: ${reason}.`))
    this.#meter = new RunProgressMeter(order)
  }

  /** Levels that the topics of all its events share. */
  get #run() {
    return { box: this.#deps.box, run_id: this.order.run_id }
  }

  /** Publishes the order and its queued slots. Resolves when they are on disk. @throws Error when they are not. */
  async announce(): Promise<void> {
    this.#publisher.publish(runOrderEvent, this.#run, this.order)
    for (const slot of this.order.slots) this.#publishState(this.#state(slot, 'queued', {}))
    this.#publishProgress()
    await this.#publisher.drained()
    const { failure } = this.#publisher
    if (failure !== null) throw new RunNotRecorded(`The run was not recorded: ${failure}.`)
  }

  /** Stops every measurement at once, cell open; its slots end as cancelled. */
  cancel(): void {
    this.end(CANCELLED)
  }

  /** Stops every measurement at once, cell open; its slots fail for this reason. */
  end(reason: string): void {
    if (!this.#stop.signal.aborted) this.#stop.abort(reason)
  }

  /** Carries the order out.
   * @returns `idle`: the devices are at rest; `finished`: everything is published too. Neither rejects. */
  start(slots: readonly RunSlot[]): { readonly idle: Promise<void>; readonly finished: Promise<void> } {
    const over = new AbortController()
    const idle = Promise.all(slots.map((slot) => this.#runSlot(slot))).then(() => over.abort())
    const watching = this.#reportProgress(over.signal)
    const finished = idle.then(async () => {
      await watching
      this.#publishProgress()
      await this.#publisher.drained()
    })
    return { idle, finished }
  }

  async #runSlot(slot: RunSlot): Promise<void> {
    const { clock, logger } = this.#deps
    const startedAt = timestampOf(clock.now())
    const reports: ModeReport[] = []
    const running = (modeIndex: number): SlotState =>
      this.#state(slot.name, 'running', {
        started_at: startedAt,
        mode_index: modeIndex,
        reports,
        device_sn: slot.serialNumber,
      })
    let status: SlotState['status'] = 'done'
    let message: string | null = null
    try {
      for (const [modeIndex, plan] of this.#plans.entries()) {
        if (this.#stop.signal.aborted) throw new MeasurementAborted(String(this.#stop.signal.reason))
        this.#publishState(running(modeIndex))
        await this.#measure(slot, modeIndex, plan, reports)
        this.#meter.modeDone(slot.name)
      }
    } catch (error) {
      const cancelled = this.#stop.signal.reason === CANCELLED
      const unsafe = error instanceof CellNotOpened
      status = cancelled && !unsafe ? 'cancelled' : 'failed'
      message = cancelled && !unsafe ? CANCELLED : reasonOf(error)
      logger.warn({ run: this.order.run_id, slot: slot.name, err: error }, 'slot ended early')
      // Looking for devices finds it again, brings it to rest and only then lists it.
      if (unsafe) await slot.device.close()
    }
    this.#meter.slotEnded(slot.name, status)
    slot.release()
    this.#publishState(
      this.#state(slot.name, status, {
        started_at: startedAt,
        ended_at: timestampOf(clock.now()),
        message: this.#messageOf(message, status, reports),
        reports,
        device_sn: slot.serialNumber,
      }),
    )
  }

  /** The reason of a failure, then everything that the result must not be read without. Clients know `cancelled` as it is. */
  #messageOf(reason: string | null, status: SlotState['status'], reports: readonly ModeReport[]): string | null {
    if (status === 'cancelled') return reason
    const known = [this.order.warnings, ...reports.map(({ warnings = [] }) => warnings)].flatMap(upcastWarnings)
    const warnings = warningsText(
      known,
      this.order.modes.map(({ mode }) => mode),
    )
    return [reason, warnings].filter((text) => text !== null).join(' ') || null
  }

  async #measure(slot: RunSlot, modeIndex: number, plan: MeasurementPlan, reports: ModeReport[]): Promise<void> {
    const { clock } = this.#deps
    const { device } = slot
    const stats = new AcquisitionStats()
    const retriesBefore = device.modbus.retries
    const levels = { ...this.#run, slot: slot.name }
    const blocks = new BlockBuilder(modeIndex, this.order.average, (block) => {
      this.#publisher.publishSamples(levels, block)
    })
    try {
      await measure(
        device,
        clock,
        {
          plan,
          gain: this.#gain,
          stop: this.#stop.signal,
          onStart: (startedAt) => blocks.start(startedAt),
          onSamples: (samples) => {
            blocks.add(samples)
            this.#meter.acquired(slot.name, blocks.samples / plan.samples, samples.current.length)
          },
          onImpedance: (row, periodS) => {
            const before = blocks.samples
            blocks.addImpedance(row, periodS)
            this.#meter.acquired(slot.name, blocks.samples / plan.samples, blocks.samples - before)
          },
        },
        stats,
      )
    } catch (error) {
      if (error instanceof SamplesLost) this.#publishLoss(slot.name, modeIndex, blocks.rows, error)
      throw error
    } finally {
      blocks.flush()
      reports.push(stats.report(modeIndex, blocks.rows, device.modbus.retries - retriesBefore))
    }
    const expected = this.order.modes[modeIndex]?.rows
    if (blocks.rows !== expected && stats.endedBy === null) {
      throw new MeasurementInterrupted(`The mode delivered ${blocks.rows} of ${expected} rows.`)
    }
    if (this.#publisher.failure !== null) {
      throw new MeasurementInterrupted(`Samples could not be recorded: ${this.#publisher.failure}.`)
    }
  }

  #publishLoss(slot: string, modeIndex: number, rows: number, loss: SamplesLost): void {
    const event: SampleLoss = {
      slot,
      mode_index: modeIndex,
      after_row: rows,
      lost_samples: loss.lost,
      cause: loss.message,
      timestamp: timestampOf(this.#deps.clock.now()),
    }
    this.#publisher.publish(sampleLossEvent, this.#run, event)
  }

  async #reportProgress(over: AbortSignal): Promise<void> {
    const { clock } = this.#deps
    while (!over.aborted) {
      await clock.sleepUntil(clock.monotonicMs() + PROGRESS_MS, over)
      if (!over.aborted) this.#publishProgress()
    }
  }

  #publishProgress(): void {
    this.#publisher.publish(runProgressEvent, this.#run, this.#meter.read(timestampOf(this.#deps.clock.now())))
  }

  #publishState(state: SlotState): void {
    this.#publisher.publish(slotStateEvent, { ...this.#run, slot: state.slot }, state)
  }

  #state(slot: string, status: SlotState['status'], known: Partial<SlotState>): SlotState {
    return {
      slot,
      status,
      started_at: null,
      ended_at: null,
      message: null,
      mode_index: null,
      reports: [],
      device_sn: null,
      timestamp: timestampOf(this.#deps.clock.now()),
      ...known,
    }
  }
}

const reasonOf = (error: unknown): string => {
  if (!(error instanceof LabError) || isDefect(error))
    return 'An internal error ended the measurement; the log has the details.'
  const { cause } = error
  return cause instanceof Error && cause.message !== error.message
    ? `${error.message} (${cause.message})`
    : error.message
}
