import type { LedChannel, PdChannel } from '../board/board.js'
import { LED_CHANNELS } from '../board/board.js'
import { openPhotodiodes, type Photodiodes, readIrChannel, readPhotodiodes } from '../od/od-optics.js'
import { PhotodiodeSampler } from '../od/photodiode-sampler.js'
import { pause, type TestBench } from './test-bench.js'

/** From switching the LED to reading, s. */
const SETTLE_S = 0.125

/** V by channel. */
export type Volts = ReadonlyMap<PdChannel, number>

/** The photodiodes and the IR LED in the hands of one test; all other LEDs are dark. */
export interface Optics extends Photodiodes {
  /** Every configured photodiode; the label is its angle, or `REF`. */
  readonly all: readonly { readonly channel: PdChannel; readonly label: string }[]
  readonly irChannel: LedChannel
  /** What is seen from now on is relative to the dark. */
  zero(): Promise<void>
  /** The IR LED at so many %. Chooses the gains for its light. */
  light(percent: number): Promise<void>
  read(): Promise<Volts>
}

/** Takes all LEDs, dark, until the test has ended: then they are as before, but for the IR LED. @throws LabError */
export async function openOptics(bench: TestBench): Promise<Optics> {
  const { bioreactor, leds, job, user, stop, config } = bench
  const photodiodes = readPhotodiodes(job.config)
  const { signals, reference } = photodiodes
  const irChannel = readIrChannel(job.config)
  const sampler = new PhotodiodeSampler({
    clock: job.clock,
    inputs: await openPhotodiodes(bioreactor, photodiodes),
    mainsHz: config.mainsHz,
    useDarkOffsets: true,
    onNearLimit: (channel, volts) =>
      user.log('warning', `Photodiode ${channel} is at ${volts.toFixed(2)} V, near its limit of 3.2 V.`),
    onUnsolvable: (channel) => user.log('debug', `Mains light on photodiode ${channel} could not be fitted.`),
  })
  const before = { ...leds.state, [irChannel]: 0 }
  const lock = leds.lock(LED_CHANNELS)
  user.atEnd(async () => {
    try {
      await leds.set(before, user, SOURCE, lock)
    } finally {
      leds.unlock(lock)
    }
  })
  await leds.set({ A: 0, B: 0, C: 0, D: 0 }, user, SOURCE, lock)
  return {
    ...photodiodes,
    irChannel,
    all: [
      ...(reference === null ? [] : [{ channel: reference, label: 'REF' }]),
      ...signals.map(({ channel, angle }) => ({ channel, label: angle })),
    ],
    zero: () => sampler.readDark(stop),
    async light(percent) {
      stop.throwIfAborted()
      await leds.set({ [irChannel]: percent }, user, SOURCE, lock)
      // What was stopped meanwhile found the LED still dark.
      if (stop.aborted) await leds.set({ [irChannel]: 0 }, user, SOURCE)
      await pause(bench, SETTLE_S)
      if (percent > 0) await sampler.tune(stop)
    },
    read: () => sampler.read(0, stop),
  }
}

const SOURCE = 'self_test'

/** So many readings, by channel. @param everyS from the beginning of one to that of the next; at once by default */
export async function readings(
  bench: TestBench,
  optics: Pick<Optics, 'read' | 'all'>,
  count: number,
  everyS = 0,
): Promise<ReadonlyMap<PdChannel, readonly number[]>> {
  const { clock } = bench.job
  const all: Volts[] = []
  const beginMs = clock.monotonicMs()
  while (all.length < count) {
    await pause(bench, Math.max(0, (beginMs - clock.monotonicMs()) / 1000 + all.length * everyS))
    all.push(await optics.read())
  }
  return new Map(optics.all.map(({ channel }) => [channel, all.map((volts) => volts.get(channel) ?? Number.NaN)]))
}
