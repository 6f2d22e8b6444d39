/** Starts a guardian whose command makes the file of the first argument, then waits to be killed, or dismisses it. */
import { startGuardian } from '../../cli/guardian.js'

const [file = '', then] = process.argv.slice(2)
const guardian = startGuardian(['/bin/sh', '-c', 'touch "$0"', file])
if (then === 'dismiss') guardian.dismiss()
process.stdout.write(`${guardian.pid}\n`)
setInterval(() => undefined, 1000)
