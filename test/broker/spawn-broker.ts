import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

export interface BrokerProcess {
  readonly child: ChildProcess
  readonly port: number
  readonly wsPort: number
}

/** A broker in a process of its own, which dies with the test: what would end main ends it. */
export async function spawnBroker(home: string): Promise<BrokerProcess> {
  const child = fork(fileURLToPath(new URL('./broker-process.js', import.meta.url)), [home])
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  const [ports] = (await once(child, 'message')) as [{ port: number; wsPort: number }]
  return { child, ...ports }
}
