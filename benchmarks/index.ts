import { bridgeScenario } from './bridge.bench.js'
import { bytesScenario } from './bytes.bench.js'
import { coldStartScenario } from './cold-start.bench.js'
import { cultureScenario } from './culture.bench.js'
import { foldScenario } from './fold.bench.js'
import { jobsScenario } from './jobs.bench.js'
import { latencyScenario } from './latency.bench.js'
import { describeMachine } from './machine.js'
import { memoryScenario } from './memory.bench.js'
import { potentiostatScenario } from './potentiostat.bench.js'
import { publishScenario } from './publish.bench.js'
import { readsScenario } from './reads.bench.js'
import type { Print, Scenario } from './scenario.js'
import { vialScenario } from './vial.bench.js'

const scenarios: readonly Scenario[] = [
  publishScenario,
  latencyScenario,
  foldScenario,
  potentiostatScenario,
  memoryScenario,
  bytesScenario,
  bridgeScenario,
  coldStartScenario,
  vialScenario,
  cultureScenario,
  jobsScenario,
  readsScenario,
]

const print: Print = (text) => {
  process.stdout.write(`${text}\n`)
}

/** `npm run bench [-- <name>…]`: all scenarios, or those named. */
const names = process.argv.slice(2)
const unknown = names.filter((name) => !scenarios.some((scenario) => scenario.name === name))
if (unknown.length > 0) {
  print(`There is no scenario '${unknown.join("', '")}'. There are:`)
  for (const { name, summary } of scenarios) print(`  ${name.padEnd(14)}${summary}`)
  process.exitCode = 1
} else {
  print(describeMachine())
  for (const scenario of scenarios) {
    if (names.length > 0 && !names.includes(scenario.name)) continue
    print(`\n${scenario.name}: ${scenario.summary}\n`)
    await scenario.run(print)
  }
}
