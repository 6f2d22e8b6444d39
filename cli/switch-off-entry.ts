/** What the guardian runs: safe-state with its settings as arguments, because reading them as the command line does costs as much time as
 * the rest. Arguments: hardware, run directory. */
import { switchOff } from './switch-off.js'

const [hardware, runDirectory = ''] = process.argv.slice(2)

process.exitCode = await switchOff({ hardware: hardware === 'real' ? 'real' : 'simulated', runDirectory }, (line) => {
  process.stderr.write(`${line}\n`)
})
