import { endRequested } from './signals.js'

/** What passes between a supervisor and its child. */
export type SupervisorMessage = 'heartbeat' | 'stop'

/** Set in the environment of a supervised child: one whose parent dies while it starts knows that it had one. */
const SUPERVISED = 'BENCHLOG_SUPERVISED'

/** The environment of a child, marked as supervised. */
export const supervisedEnvironment = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({ ...env, [SUPERVISED]: '1' })

const HEARTBEAT_MS = 250

/** Tells the supervisor that the event loop turns. Returns the function that ends it. */
export function beat(): () => void {
  const send = (): void => {
    if (process.connected !== true) return
    // A parent that died is told by the disconnection that follows. Without the callback it would be an error that nobody catches.
    process.send?.('heartbeat' satisfies SupervisorMessage, undefined, undefined, () => undefined)
  }
  send()
  const timer = setInterval(send, HEARTBEAT_MS)
  return () => clearInterval(timer)
}

/** Resolves when this process is to end; call it before anything else, for the end may come during the start. Under a supervisor
 * signals are left to it: a Ctrl-C or Ctrl-Z reaches the whole group, and the order of ending is the supervisor's. */
export function endOfService(): Promise<'stopped' | 'orphaned'> {
  const signalled = endRequested()
  if (process.env[SUPERVISED] === undefined) return signalled.then(() => 'stopped')
  process.on('SIGTSTP', ignore)
  return new Promise((resolve) => {
    process.on('message', (message) => {
      if (message === ('stop' satisfies SupervisorMessage)) resolve('stopped')
    })
    process.on('disconnect', () => resolve('orphaned'))
    if (process.connected !== true) resolve('orphaned')
  })
}

const ignore = (): void => undefined
