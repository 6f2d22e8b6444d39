import { createLibgpiod } from '../../../services/transport/libgpiod.js'

/** Watches a line until it is killed. */
await createLibgpiod(process.argv[2]).watchFalling(21, () => undefined)
process.send?.('watching')
