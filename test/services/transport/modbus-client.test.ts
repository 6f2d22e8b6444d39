import { expect, test } from 'vitest'
import type { SerialConnection } from '../../../services/transport/hardware.js'
import { ModbusClient } from '../../../services/transport/modbus-client.js'
import { decodeRequest, encodeReadReply } from '../../../services/transport/modbus-rtu.codec.js'

/** A device whose register holds the number of the request that reads it. Replies to the requests in `late` are held back. */
function countingDevice(late: ReadonlySet<number>) {
  const held: Uint8Array[] = []
  let requests = 0
  let receive = (_bytes: Uint8Array): void => undefined
  const connection: SerialConnection = {
    open: true,
    async write(bytes) {
      requests += 1
      const request = decodeRequest(bytes)
      if (request === null) throw new Error('no request')
      const reply = encodeReadReply(request.unit, request.functionCode, Uint8Array.of(requests >> 8, requests & 0xff))
      if (late.has(requests)) held.push(reply)
      else queueMicrotask(() => receive(reply))
    },
    onData: (listener) => {
      receive = listener
    },
    onClose: () => undefined,
    close: async () => undefined,
  }
  const release = (): void => {
    for (const reply of held.splice(0)) receive(reply)
  }
  return { connection, release, requests: () => requests }
}

const value = async (client: ModbusClient, timeoutMs = 20): Promise<number | undefined> =>
  (await client.read(0x0300, 1, { timeoutMs }))[0]

test('a reply that comes after its request was repeated is not taken for that of the next read of as many registers', async () => {
  const device = countingDevice(new Set([2, 4]))
  const client = new ModbusClient(device.connection, 1)
  expect(await value(client)).toBe(1)
  expect(await value(client)).toBe(3)
  const next = value(client, 60_000)
  await expect.poll(device.requests).toBe(4)
  // First the late reply to request 2, then that to request 4.
  device.release()
  expect(await next).toBe(4)
})
