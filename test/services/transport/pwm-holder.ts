import { createSysfsPwm } from '../../../services/transport/sysfs-pwm.js'

/** Drives a pin of a tree until it is killed. Arguments: root, pin. */
const [root = '', pin = ''] = process.argv.slice(2)
await (await createSysfsPwm(root).open(Number(pin), 200)).setDutyCycle(30)
process.send?.('driving')
// The lock alone keeps no process alive.
setInterval(() => undefined, 60_000)
