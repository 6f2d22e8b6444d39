import { type AddressInfo, createServer } from 'node:net'
import { Aedes } from 'aedes'

/** Bare Aedes as a process of its own: keeps everything in memory. Tells its port to its parent and ends with it. */
const broker = await Aedes.createBroker()
const server = createServer({ noDelay: true }, broker.handle)
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'))
