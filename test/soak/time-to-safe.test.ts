import { expect, it } from 'vitest'
import { outputsOn } from '../support/bench-outputs.js'
import { findGuardian } from '../support/processes.js'
import { createLabHome, type Lab } from '../support/start-lab.js'
import { ACTUATORS, secondsUntilOff, startWork, WORK_ENV } from '../support/start-work.js'
import { until } from '../support/until.js'

/** How often each death is died; the table has the longest. */
const TIMES = 3
/** Silence for 2.5 s, then the guardian's run on a busy machine. */
const MOST_MS = 6000

const signal =
  (name: NodeJS.Signals, ...who: readonly ((lab: Lab) => number)[]) =>
  (lab: Lab): void => {
    // All are known before the first dies.
    for (const pid of who.map((find) => find(lab))) process.kill(pid, name)
  }
const main = (lab: Lab): number => lab.mainPid()
const services = (lab: Lab): number => lab.servicesPid()
const group = (lab: Lab): number => -Number(lab.main.pid)

function guardian({ home }: Lab): number {
  const found = findGuardian(home)
  if (found === undefined) throw new Error('no guardian')
  return found.pid
}

const inTurn =
  (...steps: readonly ((lab: Lab) => void | Promise<void>)[]) =>
  async (lab: Lab): Promise<void> => {
    for (const step of steps) await step(lab)
  }

/** A guardian that is killed is replaced; here that has happened. */
async function replaceGuardian(lab: Lab): Promise<void> {
  const first = guardian(lab)
  process.kill(first, 'SIGKILL')
  await until(() => (findGuardian(lab.home)?.pid ?? first) !== first, 'the next guardian')
}

/** Ways to die, each with what kills. The clock runs from its end on. */
const deaths: readonly (readonly [name: string, die: (lab: Lab) => void | Promise<void>])[] = [
  ['Ctrl-C, `systemctl stop`', signal('SIGINT', group)],
  ['Ctrl-Z', signal('SIGTSTP', group)],
  ['services killed', signal('SIGKILL', services)],
  ['main killed', signal('SIGKILL', main)],
  ['main and services killed', signal('SIGKILL', services, main)],
  ['guardian killed, then services killed', inTurn(replaceGuardian, signal('SIGKILL', services))],
  ['services and guardian killed together', inTurn(signal('SIGSTOP', services), signal('SIGKILL', guardian, services))],
  [
    'main, services and guardian killed together (`npm start` or systemd runs on)',
    inTurn(signal('SIGSTOP', services), signal('SIGKILL', guardian, services, main)),
  ],
  ['services frozen or hung', signal('SIGSTOP', services)],
  ['main frozen or hung (the broker is lost)', signal('SIGSTOP', main)],
  ['main and services frozen', signal('SIGSTOP', services, main)],
  ['everything in the terminal frozen (SIGSTOP)', signal('SIGSTOP', group)],
  ['services frozen, then main killed', inTurn(signal('SIGSTOP', services), signal('SIGKILL', main))],
]

async function secondsUntilSafe(die: (lab: Lab) => void | Promise<void>): Promise<Readonly<Record<string, number>>> {
  const home = createLabHome()
  try {
    const lab = await home.startSupervised(WORK_ENV)
    await startWork(lab)
    await die(lab)
    const seconds = await secondsUntilOff(lab.home, MOST_MS)
    expect(outputsOn(lab.home)).toEqual([])
    return seconds
  } finally {
    await home.remove()
  }
}

const actuators = Object.keys(ACTUATORS)
const table: string[] = [`| Death | ${actuators.join(' | ')} |`, `|---|${actuators.map(() => '---|').join('')}`]

it.each(deaths)('outputs are off after: %s', { timeout: TIMES * 60_000 }, async (name, die) => {
  const seconds: Readonly<Record<string, number>>[] = []
  for (let time = 0; time < TIMES; time++) seconds.push(await secondsUntilSafe(die))
  const longest = actuators.map((actuator) => Math.max(...seconds.map((of) => of[actuator] ?? 0)))
  table.push(`| ${[name, ...longest.map((one) => one.toFixed(1))].join(' | ')} |`)
  process.stdout.write(`${table.join('\n')}\n`)
  expect(1000 * Math.max(...longest)).toBeLessThan(MOST_MS)
})
