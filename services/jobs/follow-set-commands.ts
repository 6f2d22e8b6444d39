import type { BusMessage } from '../../events/ports.js'
import { settingOutcomeEvent } from '../../events/system/outcomes.js'
import { parseTopic } from '../../events/topic.js'
import type { ServiceContext } from '../runtime/service.js'
import { jobNotRunning } from './job-errors.js'
import type { RunningJobs } from './running-jobs.js'
import { carryOut, readSetCommand, refusalOf } from './set-commands.js'

type Context = Pick<ServiceContext, 'unit' | 'bus' | 'clock' | 'logger'>

/** Carries out commands on the `/set` topics of this unit and of every unit, and answers each on `…/<setting>/set/outcome`; one that is
 * meant for this unit alone is answered when no job takes it, too. Retained commands are ignored: they would be carried out again at every
 * connection. One place takes all of them, so that a job that just ended and the unit never answer both.
 * @returns the function that ends it */
export async function followSetCommands(context: Context, running: RunningJobs): Promise<() => Promise<void>> {
  const follow = (message: BusMessage): void => {
    const topic = parseTopic(message.topic)
    if (message.retain || topic.family !== 'job_set') return
    void obey(context, running, topic, message.payload.toString())
  }
  const own = await context.bus.subscribe(`pioreactor/${context.unit}/+/+/+/set`, follow)
  const everybody = await context.bus.subscribe('pioreactor/$broadcast/+/+/+/set', follow)
  return async () => {
    await own()
    await everybody()
  }
}

interface Target {
  readonly unit: string
  readonly experiment: string
  readonly job: string
  readonly setting: string
}

async function obey(
  { unit, bus, clock, logger }: Context,
  running: RunningJobs,
  target: Target,
  text: string,
): Promise<void> {
  const { experiment, job: name, setting } = target
  const command = readSetCommand(text)
  const outcomeTopic = settingOutcomeEvent.topic({ unit, experiment, job: name, setting })
  let taken = false
  for (const job of running.named(name)) {
    if (job.order.experiment !== experiment || !(job.canAnswer || (await job.reachable()))) continue
    taken = true
    job.answer(outcomeTopic, carryOut(job, setting, command, clock))
  }
  if (taken || target.unit !== unit) return
  const reason = jobNotRunning(name, experiment)
  await bus.publish(outcomeTopic, refusalOf(command, clock, reason)).catch((error: unknown) => {
    logger.debug({ topic: outcomeTopic, err: error }, 'refusal could not be published')
  })
}
