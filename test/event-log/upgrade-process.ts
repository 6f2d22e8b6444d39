import { upgradeLog } from '../../event-log/upgrade.js'

/** Upgrades a log and is killed when that reaches a stage: node upgrade-process.js <path> <stage> */
const [path = '', stage] = process.argv.slice(2)
upgradeLog(path, (progress) => {
  if (progress.stage === stage) process.kill(process.pid, 'SIGKILL')
})
