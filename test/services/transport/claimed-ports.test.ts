import { expect, test } from 'vitest'
import { claimPorts } from '../../../services/transport/claimed-ports.js'
import type { SerialConnection, SerialDevice, SerialPorts } from '../../../services/transport/hardware.js'

const PUMP = { vendorId: '0403', productId: '6001' }
const BALANCE = { vendorId: '0eb8', productId: 'f000' }
const CLAIMS = {
  pump: { usb: [PUMP], baudRate: 9600 },
  balance: { usb: [BALANCE, { vendorId: '0eb8', productId: 'f001' }], baudRate: 19_200 },
}

const port = (path: string, usb: SerialDevice['usb']): SerialDevice => ({ path, usb, serialNumber: null })

/** Ports that open, and remember how. */
function given(...ports: SerialDevice[]) {
  const opened: [path: string, baudRate: number][] = []
  const serial: SerialPorts = {
    list: async () => [...ports],
    async open(path, baudRate) {
      opened.push([path, baudRate])
      let open = true
      return {
        get open() {
          return open
        },
        close: async () => {
          open = false
        },
      } as SerialConnection
    },
  }
  return { ports, opened, portsOf: claimPorts(serial, CLAIMS) }
}

test('each instrument sees the ports of its vendors and products, and opens them at its own rate', async () => {
  const { opened, portsOf } = given(
    port('/dev/ttyUSB1', { vendorId: '0eb8', productId: 'f001' }),
    port('/dev/ttyUSB0', BALANCE),
    port('/dev/ttyUSB2', PUMP),
    port('/dev/ttyS0', null),
    port('/dev/ttyACM0', { vendorId: '2341', productId: '0043' }),
  )
  expect((await portsOf('balance').list()).map(({ path }) => path)).toEqual(['/dev/ttyUSB0', '/dev/ttyUSB1'])
  expect((await portsOf('pump').list()).map(({ path }) => path)).toEqual(['/dev/ttyUSB2'])
  await portsOf('balance').open('/dev/ttyUSB1')
  await portsOf('pump').open('/dev/ttyUSB2')
  expect(opened).toEqual([
    ['/dev/ttyUSB1', 19_200],
    ['/dev/ttyUSB2', 9600],
  ])
})

test('a port that appears later is offered to the instrument that claims it, and to no other', async () => {
  const { ports, portsOf } = given()
  expect(await portsOf('pump').list()).toEqual([])
  ports.push(port('/dev/ttyUSB0', PUMP))
  expect(await portsOf('pump').list()).toHaveLength(1)
  expect(await portsOf('balance').list()).toEqual([])
})

test('a port of another instrument, or of none, is not opened', async () => {
  const { opened, portsOf } = given(port('/dev/ttyUSB0', PUMP), port('/dev/ttyS0', null))
  for (const path of ['/dev/ttyUSB0', '/dev/ttyS0']) {
    await expect(portsOf('balance').open(path)).rejects.toMatchObject({ code: 'serial.not_claimed', details: { path } })
  }
  await expect(portsOf('camera').open('/dev/ttyUSB0')).rejects.toMatchObject({ code: 'serial.not_claimed' })
  await expect(portsOf('balance').open('/dev/ttyUSB9')).rejects.toMatchObject({ code: 'hardware.no_device' })
  expect(opened).toEqual([])
})

test('no port is open twice, and it opens again when it was closed', async () => {
  const { opened, portsOf } = given(port('/dev/ttyUSB0', PUMP))
  const both = await Promise.allSettled([portsOf('pump').open('/dev/ttyUSB0'), portsOf('pump').open('/dev/ttyUSB0')])
  expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  expect(both.find((one) => one.status === 'rejected')?.reason).toMatchObject({ code: 'serial.in_use' })
  for (const one of both) if (one.status === 'fulfilled') await one.value.close()
  await portsOf('pump').open('/dev/ttyUSB0')
  expect(opened).toHaveLength(2)
})

test('a path that comes back as another device belongs to the instrument of that device', async () => {
  const { ports, portsOf } = given(port('/dev/ttyUSB0', PUMP))
  await (await portsOf('pump').open('/dev/ttyUSB0')).close()
  ports.splice(0, 1, port('/dev/ttyUSB0', BALANCE))
  await portsOf('balance').list()
  await expect(portsOf('pump').open('/dev/ttyUSB0')).rejects.toMatchObject({ code: 'serial.not_claimed' })
  await expect(portsOf('balance').open('/dev/ttyUSB0')).resolves.toMatchObject({ open: true })
})

test('two instruments that claim the same kind of port are refused by name', () => {
  const twice = { ...CLAIMS, camera: { usb: [PUMP], baudRate: 115_200 } }
  expect(() => claimPorts({} as SerialPorts, twice)).toThrow(
    'pump and camera both claim serial ports of USB 0403:6001.',
  )
})
