import { publishEvent } from '../../../bus/publish-event.js'
import type { ResultOf } from '../../../events/core/define-command.js'
import type { LabError } from '../../../events/core/errors.js'
import { timestampOf } from '../../../events/core/timestamp.js'
import type { AnnouncedMode } from '../../../events/define-mode.js'
import { MAX_PACKET_BYTES } from '../../../events/limits.js'
import { cancelRunCommand, rescanDevicesCommand, startRunCommand } from '../../../events/potentiostat/commands.js'
import { deviceEvent } from '../../../events/potentiostat/devices.js'
import {
  InvalidRunOrder,
  InvalidRunParameters,
  NoSuchRun,
  RunIdTaken,
  SlotsBusy,
  UnknownSlots,
} from '../../../events/potentiostat/errors.js'
import { modeCapabilityEvent } from '../../../events/potentiostat/modes.js'
import type { RunOrder } from '../../../events/potentiostat/run-order.js'
import { ServicesSuspended } from '../../../events/system/errors.js'
import { deadline } from '../../../primitives/deadline.js'
import type { RetainedText } from '../../aftermath/retained.js'
import { answer } from '../../runtime/answer.js'
import type { InstrumentContext } from '../../runtime/instrument.js'
import type { Service, ServiceContext } from '../../runtime/service.js'
import { NOMINAL_PERIOD_S } from '../device/registers.js'
import type { BoxSettings } from '../instrument.js'
import { modes } from '../modes/index.js'
import { boxPast, KnownRuns } from './past-runs.js'
import { Run, type RunSlot } from './run.js'
import { checkNames, planOrder, type StartRun } from './run-order.js'
import { Slots } from './slots.js'

const SCAN_MS = 1000
/** How long `stop` waits for devices, and again for the broker. Real time: what hangs does not hang shorter in a simulation. */
const STOP_MS = 1000

/** What the box needs of its instrument's context. */
export type BoxContext = ServiceContext & Pick<InstrumentContext<BoxSettings>, 'ports' | 'settings'>

interface ActiveRun {
  readonly run: Run
  readonly idle: Promise<void>
  readonly finished: Promise<void>
}

/** The potentiostat box: finds devices, announces the modes, carries out runs.
 * @param retained what is retained of earlier lives, corrected.
 * @returns once modes and devices are announced and every device found is at rest, cell open. */
export async function startBoxService(context: BoxContext, retained: readonly RetainedText[]): Promise<Service> {
  const { bus, unit, box, clock, settings } = context
  const logger = context.logger.child({ service: 'potentiostat' })
  const past = boxPast(retained, box)
  for (const [rank, { declaration }] of modes.entries()) {
    const announced: AnnouncedMode = { ...declaration, rank }
    await publishEvent(bus, modeCapabilityEvent, { unit, mode: declaration.mode }, announced)
  }

  const knownRuns = new KnownRuns(context, past)
  const active = new Map<string, ActiveRun>()
  const closing = new AbortController()
  let suspended: string | null = null

  const slots = new Slots(
    {
      ports: context.ports,
      clock,
      logger,
      onChange: (record) => {
        publishEvent(bus, deviceEvent, { box, slot: record.slot }, record).catch((error: unknown) =>
          logger.warn({ slot: record.slot, err: error }, 'device not announced'),
        )
      },
    },
    past.devices,
  )
  const scanning = scanRepeatedly()
  await scanning.first

  function scanRepeatedly(): { readonly first: Promise<void>; readonly ended: Promise<void> } {
    const scan = async (): Promise<void> => {
      await slots.scan().catch((error: unknown) => logger.warn({ err: error }, 'devices cannot be listed'))
    }
    const first = scan()
    const ended = first.then(async () => {
      while (!closing.signal.aborted) {
        await clock.sleepUntil(clock.monotonicMs() + SCAN_MS, closing.signal)
        if (!closing.signal.aborted) await scan()
      }
    })
    return { first, ended }
  }

  async function startRun(request: StartRun): Promise<ResultOf<typeof startRunCommand>> {
    const names = chosenSlots(request.devices, slots.connected)
    checkNames(request)
    if (knownRuns.has(request.run_id)) throw runIdConflict(request.run_id)
    const planned = planOrder(request, settings.BOX_NULL_GAIN)
    if (suspended !== null) throw new ServicesSuspended(`No run starts now: ${suspended}.`)
    const busy = names.filter((name) => slots.holder(name) !== null)
    if (busy.length > 0) throw slotsBusy(busy)
    const { devices: _, params_by_mode: __, ...rest } = request
    const order: RunOrder = {
      ...rest,
      slots: [...names],
      modes: [...planned.modes],
      tia_gain: planned.gain,
      average: planned.average,
      period_s: NOMINAL_PERIOD_S,
      file_layout: { layout: settings.BOX_LAYOUT, file_name: settings.BOX_FILE_NAME },
      simulated: context.hardwareKind === 'simulated',
      warnings: [...planned.warnings],
      timestamp: timestampOf(clock.now()),
    }
    refuseOversized(order)
    const run = new Run(order, planned.plans, planned.gain, { bus, box, clock, logger })
    knownRuns.reserve(order.run_id)
    slots.reserve(names, order.run_id)
    try {
      await run.announce()
    } catch (error) {
      for (const name of names) slots.release(name)
      knownRuns.release(order.run_id)
      throw error
    }
    begin(run)
    return { run_id: order.run_id, slots: order.slots, warnings: [...planned.warnings] }
  }

  function begin(run: Run): void {
    const { order } = run
    const places = order.slots.flatMap((name): RunSlot[] => {
      const device = slots.device(name)
      const release = (): void => slots.release(name)
      return device === null ? [] : [{ name, device, serialNumber: slots.serialNumber(name), release }]
    })
    const { idle, finished } = run.start(places)
    active.set(order.run_id, { run, idle, finished })
    if (suspended !== null) run.end(suspended)
    void finished.then(() => {
      active.delete(order.run_id)
      knownRuns.ended(order)
      logger.debug({ run: order.run_id }, 'run ended')
    })
  }

  function endAll(reason: string): readonly ActiveRun[] {
    const ending = [...active.values()]
    for (const { run } of ending) run.end(reason)
    return ending
  }

  return {
    name: 'potentiostat',
    commands: [
      answer(startRunCommand, startRun),
      answer(cancelRunCommand, async ({ run_id }) => {
        if (!knownRuns.has(run_id)) {
          throw new NoSuchRun(`There is no run '${run_id}'.`, { details: { field: 'run_id' } })
        }
        // Accepted at once; cells open next, and the slots tell when they are free.
        active.get(run_id)?.run.cancel()
        return { run_id }
      }),
      answer(rescanDevicesCommand, () => slots.scan()),
    ],
    async suspend(reason) {
      suspended = `the measurement was stopped because ${reason}`
      await Promise.all(endAll(suspended).map(({ idle }) => idle))
    },
    async resume() {
      suspended = null
      // The broker may be another one, which took every device for lost.
      slots.announceAll()
    },
    async stop() {
      closing.abort()
      suspended ??= 'the services process stopped'
      const ended = endAll(suspended)
      await atMost(STOP_MS, [...ended.map(({ idle }) => idle), scanning.ended])
      // What still hangs fails with its connection.
      await atMost(STOP_MS, [slots.close(), ...(bus.connected ? ended.map(({ finished }) => finished) : [])])
    },
  }
}

/** Waits for all of the work, but no longer than the limit. */
const atMost = (limitMs: number, work: readonly Promise<unknown>[]): Promise<unknown> =>
  deadline(limitMs, Promise.all(work), () => undefined)

/** @throws UnknownSlots naming every slot that is not connected; InvalidRunOrder naming those given twice. */
function chosenSlots(devices: StartRun['devices'], connected: readonly string[]): readonly string[] {
  const names = devices === 'all' ? connected : devices
  const unknown = names.filter((name) => !connected.includes(name))
  if (names.length === 0 || unknown.length > 0) {
    const nothing = devices === 'all' ? 'No potentiostat is connected.' : 'No potentiostat is named.'
    const problem = unknown.length > 0 ? `No potentiostat is connected at ${unknown.join(', ')}.` : nothing
    const remediation = `Connected are: ${connected.join(', ') || 'none'}.`
    throw new UnknownSlots(problem, { remediation, details: { slots: unknown, connected } })
  }
  const twice = names.filter((name, index) => names.indexOf(name) !== index)
  if (twice.length > 0) {
    throw new InvalidRunOrder(`devices names ${twice.join(', ')} twice.`, { details: { slots: twice, connected } })
  }
  return names
}

/** Half of what the broker takes: the order is retained, and read again at every start. */
const MAX_ORDER_BYTES = MAX_PACKET_BYTES / 2

/** @throws InvalidRunParameters when the order, its parameters repeated for each mode, cannot be one event. */
function refuseOversized(order: RunOrder): void {
  const bytes = Buffer.byteLength(JSON.stringify(order))
  if (bytes <= MAX_ORDER_BYTES) return
  const message = `The modes with their parameters take ${bytes} bytes; it must be at most ${MAX_ORDER_BYTES} bytes.`
  const errors = [{ field: 'params_by_mode', code: 'too_many_items', message }]
  throw new InvalidRunParameters(message, { details: { errors } })
}

const slotsBusy = (busy: readonly string[]): LabError =>
  new SlotsBusy(`Slots busy: ${[...busy].sort().join(', ')}`, {
    details: { slots: [...busy].sort() },
  })

const runIdConflict = (runId: string): LabError =>
  new RunIdTaken(`The run id '${runId}' is taken.`, {
    details: { run_id: runId },
  })
