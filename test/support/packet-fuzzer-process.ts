import { fuzzPackets } from './packet-fuzzer.js'

/** The fuzzer as a process of its own, so that an honest client beside it is not held up by its work:
 * `node packet-fuzzer-process.js <port> <wsPort> <seed> <seconds>`; tells its parent how many clients there were. */
const [port = 0, wsPort = 0, seed = 0, seconds = 0] = process.argv.slice(2).map(Number)
const end = performance.now() + 1000 * seconds
const clients = await fuzzPackets({ port, wsPort }, seed, () => performance.now() < end)
process.send?.({ clients })
process.disconnect?.()
