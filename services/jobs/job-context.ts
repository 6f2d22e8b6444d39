import type { JobState } from '../../events/job-state.js'
import type { MessageBus } from '../../events/ports.js'
import type { JobContext } from './job.js'
import type { JobOrder, RunningJobDeps } from './job-order.js'
import type { JobPublisher } from './job-publisher.js'
import type { Releases } from './releases.js'

export interface JobContextParts {
  readonly bus: MessageBus
  readonly order: JobOrder
  readonly deps: RunningJobDeps
  readonly publisher: JobPublisher
  readonly releases: Releases
  readonly ending: AbortSignal
  readonly state: () => JobState
  readonly repeatState: JobContext['repeatState']
  readonly pause: JobContext['pause']
  readonly end: JobContext['end']
}

/** What a job sees of its surroundings, made of what runs it. */
export function createJobContext(parts: JobContextParts): JobContext {
  const { bus, order, deps, publisher, releases, ending, state, repeatState, pause, end } = parts
  const atEnd: JobContext['atEnd'] = (release) => {
    releases.add(release)
    if (ending.aborted) void releases.run()
  }
  return {
    unit: order.unit,
    experiment: order.experiment,
    clock: deps.clock,
    logger: deps.logger,
    config: order.config,
    peers: deps.peers,
    ending,
    get state() {
      return state()
    },
    get isConnected() {
      return bus.connected
    },
    value: (setting) => publisher.value(setting),
    publish: (setting, value) => publisher.publish(setting, value),
    emit: (event, payload, ...levels) => publisher.emit(event, payload, ...levels),
    clear: (topic) => publisher.clearTopic(topic),
    async follow(filter, listener) {
      // The subscription itself ends with the connection.
      await bus.subscribe(filter, (message) => {
        if (!ending.aborted) listener(message)
      })
    },
    async startJob(name, options, experiment) {
      ending.throwIfAborted()
      const started = await deps.startJob(name, options, experiment)
      atEnd(() => started.stop(null))
      await started.started
      return started
    },
    repeatState,
    log: (level, message) => publisher.log(level, message),
    atEnd,
    pause,
    end,
  }
}
