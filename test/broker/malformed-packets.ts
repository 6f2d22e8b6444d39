/** What MQTT 3.1.1 forbids a client to send, with the number of the statement that forbids it. Where a number is missing, the standard
 * describes the format without a statement of its own, or leaves it to the server. */
export interface MalformedPacket {
  readonly clause: string
  readonly what: string
  readonly bytes: Buffer
  /** Bytes of the answer before the connection is closed. */
  readonly answer?: readonly number[]
}

type Field = number | readonly number[] | Buffer

const join = (fields: readonly Field[]): Buffer =>
  Buffer.from(fields.flatMap((field) => (typeof field === 'number' ? field : [...field])))

/** A packet with a correct length of one byte, or of two from 128 bytes on. */
export const packet = (first: number, ...fields: readonly Field[]): Buffer => {
  const body = join(fields)
  const length = body.length < 128 ? [body.length] : [(body.length & 127) | 128, body.length >> 7]
  return join([first, length, body])
}
/** Two bytes of length, then the text or the bytes. */
export const text = (content: string | readonly number[]): Buffer => {
  const bytes = Buffer.from(content as string)
  return join([bytes.length >> 8, bytes.length & 255, bytes])
}
const ID = [0, 9]
const KEEPALIVE = [0, 60]
const MQTT = [...text('MQTT'), 4]
const MQISDP = [...text('MQIsdp'), 3]
const CLEAN = 2

export const connectPacket = (...fields: readonly Field[]): Buffer => packet(0x10, ...fields)
/** CONNECT of a clean session named `c`, then the further fields its flags ask for. */
const connectWith = (flags: number, ...fields: readonly Field[]): Buffer =>
  connectPacket(MQTT, flags, KEEPALIVE, text('c'), ...fields)

/** Texts that no field may hold. */
const BAD_TEXTS: readonly (readonly [clause: string, what: string, bytes: readonly number[]])[] = [
  ['1.5.3-1', 'a byte that begins nothing', [0x61, 0x80]],
  ['1.5.3-1', 'a byte that UTF-8 does not have', [0x61, 0xff]],
  ['1.5.3-1', 'a character cut off', [0x61, 0xe2, 0x82]],
  ['1.5.3-1', 'a slash in two bytes', [0xc0, 0xaf]],
  ['1.5.3-1', 'a slash in three bytes', [0xe0, 0x80, 0xaf]],
  ['1.5.3-1', 'a code point above U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
  ['1.5.3-1', 'the first half of a pair', [0xed, 0xa0, 0x80]],
  ['1.5.3-1', 'the second half of a pair', [0xed, 0xbf, 0xbf]],
  ['1.5.3-1', 'a pair in six bytes', [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80]],
  ['1.5.3-2', 'U+0000', [0x61, 0, 0x62]],
  ['1.5.3', 'U+0001', [0x61, 1]],
  ['1.5.3', 'U+000A', [0x61, 0x0a]],
  ['1.5.3', 'U+001F', [0x61, 0x1f]],
  ['1.5.3', 'U+007F', [0x61, 0x7f]],
  ['1.5.3', 'U+0080', [0xc2, 0x80]],
  ['1.5.3', 'U+009F', [0xc2, 0x9f]],
  ['1.5.3', 'U+FDD0', [0xef, 0xb7, 0x90]],
  ['1.5.3', 'U+FFFE', [0xef, 0xbf, 0xbe]],
  ['1.5.3', 'U+FFFF', [0xef, 0xbf, 0xbf]],
  ['1.5.3', 'U+10FFFF', [0xf4, 0x8f, 0xbf, 0xbf]],
]

const inEveryText = (place: string, packetWith: (bytes: readonly number[]) => Buffer): MalformedPacket[] =>
  BAD_TEXTS.map(([clause, what, bytes]) => ({ clause, what: `${place} with ${what}`, bytes: packetWith(bytes) }))

const FILTERS: readonly (readonly [clause: string, filter: string])[] = [
  ['4.7.3-1', ''],
  ['4.7.1-2', '#/a'],
  ['4.7.1-2', 'a/#/b'],
  ['4.7.1-2', 'a#'],
  ['4.7.1-2', '#a'],
  ['4.7.1-2', 'a/b#'],
  ['4.7.1-2', '##'],
  ['4.7.1-2', '+#'],
  ['4.7.1-3', 'a+'],
  ['4.7.1-3', '+a'],
  ['4.7.1-3', 'ab/+e'],
  ['4.7.1-3', 'a/+b/c'],
  ['4.7.1-3', '++'],
]

const malformed = (clause: string, what: string, bytes: Buffer, answer?: readonly number[]): MalformedPacket => ({
  clause,
  what,
  bytes,
  ...(answer === undefined ? {} : { answer }),
})

const UNACCEPTABLE_VERSION = [0x20, 2, 0, 1]
const IDENTIFIER_REJECTED = [0x20, 2, 0, 2]

/** As the first packet of a connection. */
export const MALFORMED_FIRST: readonly MalformedPacket[] = [
  malformed('3.1.0-1', 'PINGREQ before CONNECT', packet(0xc0)),
  malformed('3.1.0-1', 'PUBLISH before CONNECT', packet(0x30, text('a'))),
  malformed('3.1.0-1', 'SUBSCRIBE before CONNECT', packet(0x82, ID, text('a'), 0)),
  malformed('2.2.2-2', 'CONNECT with flag 1', packet(0x11, MQTT, CLEAN, KEEPALIVE, text('c'))),
  malformed('2.2.2-2', 'CONNECT with flag 8', packet(0x18, MQTT, CLEAN, KEEPALIVE, text('c'))),
  malformed('2.2.3', 'CONNECT with a length of five bytes', Buffer.of(0x10, 0xff, 0xff, 0xff, 0xff, 1)),
  malformed(
    '3.1.2-1',
    'the protocol name in small letters',
    connectPacket(text('mqtt'), 4, CLEAN, KEEPALIVE, text('c')),
  ),
  malformed('3.1.2-1', 'an empty protocol name', connectPacket(text(''), 4, CLEAN, KEEPALIVE, text('c'))),
  malformed('3.1.2-1', 'another protocol', connectPacket(text('HTTP'), 4, CLEAN, KEEPALIVE, text('c'))),
  malformed('3.1.2-2', 'level 0', connectPacket(text('MQTT'), 0, CLEAN, KEEPALIVE, text('c')), UNACCEPTABLE_VERSION),
  malformed(
    '3.1.2-2',
    'level 3 of MQTT',
    connectPacket(text('MQTT'), 3, CLEAN, KEEPALIVE, text('c')),
    UNACCEPTABLE_VERSION,
  ),
  malformed(
    '3.1.2-2',
    'level 4 of MQIsdp',
    connectPacket(text('MQIsdp'), 4, CLEAN, KEEPALIVE, text('c')),
    UNACCEPTABLE_VERSION,
  ),
  malformed('3.1.2-2', 'level 5', connectPacket(text('MQTT'), 5, CLEAN, KEEPALIVE, 0, text('c')), UNACCEPTABLE_VERSION),
  malformed('3.1.2-2', 'level 6', connectPacket(text('MQTT'), 6, CLEAN, KEEPALIVE, text('c')), UNACCEPTABLE_VERSION),
  malformed(
    '3.1.2-2',
    'level 4 of a bridge',
    connectPacket(text('MQTT'), 0x84, CLEAN, KEEPALIVE, text('c')),
    UNACCEPTABLE_VERSION,
  ),
  malformed('3.1.2-3', 'the reserved flag', connectWith(CLEAN | 1)),
  malformed('3.1.2-11', 'QoS 1 of no will', connectWith(CLEAN | 8)),
  malformed('3.1.2-13', 'QoS 2 of no will', connectWith(CLEAN | 16)),
  malformed('3.1.2-14', 'a will of QoS 3', connectWith(CLEAN | 4 | 24, text('w'), text('gone'))),
  malformed('3.1.2-15', 'retain of no will', connectWith(CLEAN | 32)),
  malformed('3.1.2-22', 'a password without a user name', connectWith(CLEAN | 64, text('p'))),
  malformed('3.1.3', 'no client id', connectPacket(MQTT, CLEAN, KEEPALIVE)),
  malformed('3.1.3', 'a client id longer than the packet', connectPacket(MQTT, CLEAN, KEEPALIVE, [0, 9], text('c'))),
  malformed(
    '3.1.3-8',
    'an empty client id of a session that is kept',
    connectPacket(MQTT, 0, KEEPALIVE, text('')),
    IDENTIFIER_REJECTED,
  ),
  malformed(
    '3.1 §3.1',
    'an empty client id in MQTT 3.1',
    connectPacket(MQISDP, CLEAN, KEEPALIVE, text('')),
    IDENTIFIER_REJECTED,
  ),
  malformed(
    '3.1.3-9',
    'a client id of 257 bytes',
    connectPacket(MQTT, CLEAN, KEEPALIVE, text('c'.repeat(257))),
    IDENTIFIER_REJECTED,
  ),
  malformed('3.1.3', 'no keep alive', connectPacket(MQTT, CLEAN)),
  malformed('3.1.3', 'no flags', connectPacket(MQTT)),
  malformed('3.1.3', 'nothing', connectPacket()),
  malformed('3.1.2-9', 'a will flag without a will', connectWith(CLEAN | 4)),
  malformed('3.1.2-9', 'a will without its message', connectWith(CLEAN | 4, text('w'))),
  malformed('4.7.3-1', 'a will without a topic', connectWith(CLEAN | 4, text(''), text('gone'))),
  malformed('4.7.1-1', 'a will to all', connectWith(CLEAN | 4, text('#'), text('gone'))),
  malformed('4.7.1-1', 'a will to many', connectWith(CLEAN | 4, text('a/+'), text('gone'))),
  malformed('3.1.2-19', 'a user name flag without a user name', connectWith(CLEAN | 128)),
  malformed('3.1.2-21', 'a password flag without a password', connectWith(CLEAN | 128 | 64, text('u'))),
  malformed('3.1.2-18', 'a user name without its flag', connectWith(CLEAN, text('u'))),
  malformed('3.1.2-20', 'a password without its flag', connectWith(CLEAN | 128, text('u'), text('p'))),
  malformed('3.1.2-11', 'a will without its flag', connectWith(CLEAN, text('w'), text('gone'))),
  ...inEveryText('a client id', (bytes) => connectPacket(MQTT, CLEAN, KEEPALIVE, text(bytes))),
  ...inEveryText('a will topic', (bytes) => connectWith(CLEAN | 4, text(bytes), text('gone'))),
  ...inEveryText('a user name', (bytes) => connectWith(CLEAN | 128, text(bytes))),
  ...inEveryText('a protocol name', (bytes) => connectPacket(text(bytes), 4, CLEAN, KEEPALIVE, text('c'))),
]

const ACKNOWLEDGEMENTS = [
  ['PUBACK', 0x40],
  ['PUBREC', 0x50],
  ['PUBREL', 0x62],
  ['PUBCOMP', 0x70],
] as const
const OF_SERVER = [
  ['CONNACK', 0x20, [0, 0]],
  ['SUBACK', 0x90, [...ID, 0]],
  ['UNSUBACK', 0xb0, ID],
  ['PINGRESP', 0xd0, []],
  ['type 0', 0x00, []],
  ['type 15', 0xf0, []],
] as const

/** From a client that is connected. */
export const MALFORMED: readonly MalformedPacket[] = [
  malformed('3.1.0-2', 'a second CONNECT', connectWith(CLEAN)),
  ...OF_SERVER.map(([name, first, body]) => malformed('2.2.1', `${name} from a client`, packet(first, body))),
  malformed('2.2.3', 'a length of five bytes', Buffer.of(0x30, 0x80, 0x80, 0x80, 0x80, 1)),
  malformed('2.2.3', 'more than 1 MiB', Buffer.of(0x30, 0x81, 0x80, 0x40)),

  malformed('3.3.1-4', 'PUBLISH with QoS 3', packet(0x36, text('a'), ID)),
  malformed('3.3.1-2', 'PUBLISH of QoS 0 marked as a repetition', packet(0x38, text('a'))),
  malformed('2.3.1-1', 'PUBLISH of QoS 1 with identifier 0', packet(0x32, text('a'), 0, 0)),
  malformed('2.3.1-1', 'PUBLISH of QoS 2 with identifier 0', packet(0x34, text('a'), 0, 0)),
  malformed('2.3.1-1', 'PUBLISH of QoS 1 without an identifier', packet(0x32, text('a'))),
  malformed('2.3.1-1', 'PUBLISH of QoS 2 with half an identifier', packet(0x34, text('a'), 9)),
  malformed('3.3.2-1', 'PUBLISH without anything', packet(0x30)),
  malformed('3.3.2-1', 'PUBLISH with half a length', packet(0x30, 0)),
  malformed('3.3.2-1', 'PUBLISH whose topic is longer than the packet', packet(0x30, 0, 2, 0x61)),
  malformed('4.7.3-1', 'PUBLISH with an empty topic', packet(0x30, text(''))),
  malformed('3.3.2-2', 'PUBLISH to all', packet(0x30, text('#'))),
  malformed('3.3.2-2', 'PUBLISH to many', packet(0x32, text('a/+'), ID)),
  malformed('3.3.2-2', 'PUBLISH with + within a level', packet(0x30, text('a+b'))),
  ...inEveryText('a topic', (bytes) => packet(0x30, text(bytes), [1, 2])),

  ...ACKNOWLEDGEMENTS.flatMap(([name, first]) => [
    malformed('2.3.1-1', `${name} with identifier 0`, packet(first, 0, 0)),
    malformed('2.3.1-6', `${name} without an identifier`, packet(first)),
    malformed('2.3.1-6', `${name} with half an identifier`, packet(first, 9)),
    malformed('3.4', `${name} with a byte too many`, packet(first, ID, 0)),
    malformed('2.2.2-2', `${name} with other flags`, packet(first ^ 1, ID)),
    malformed('2.2.2-2', `${name} with the flags of the others`, packet(first ^ 2, ID)),
    malformed('2.2.2-2', `${name} marked as a repetition`, packet(first | 8, ID)),
  ]),

  malformed('3.8.1-1', 'SUBSCRIBE with flags 0', packet(0x80, ID, text('a'), 0)),
  malformed('3.8.1-1', 'SUBSCRIBE marked as a repetition', packet(0x8a, ID, text('a'), 0)),
  malformed('2.3.1-1', 'SUBSCRIBE with identifier 0', packet(0x82, 0, 0, text('a'), 0)),
  malformed('2.3.1-1', 'SUBSCRIBE without anything', packet(0x82)),
  malformed('3.8.3-3', 'SUBSCRIBE without a filter', packet(0x82, ID)),
  malformed('3.8.3-1', 'SUBSCRIBE with half a length', packet(0x82, ID, 0)),
  malformed('3.8.3-1', 'SUBSCRIBE whose filter is longer than the packet', packet(0x82, ID, 0, 5, 0x61)),
  malformed('3.8.3-1', 'SUBSCRIBE without a QoS', packet(0x82, ID, text('a'))),
  malformed('3.8.3-1', 'SUBSCRIBE whose second filter has no QoS', packet(0x82, ID, text('a'), 0, text('b'))),
  malformed('3-8.3-4', 'SUBSCRIBE with QoS 3', packet(0x82, ID, text('a'), 3)),
  malformed('3-8.3-4', 'SUBSCRIBE with a reserved bit of its QoS', packet(0x82, ID, text('a'), 4)),
  malformed('3-8.3-4', 'SUBSCRIBE with the highest bit of its QoS', packet(0x82, ID, text('a'), 0x81)),
  ...FILTERS.map(([clause, filter]) =>
    malformed(clause, `SUBSCRIBE to '${filter}'`, packet(0x82, ID, text(filter), 0)),
  ),
  ...inEveryText('a filter', (bytes) => packet(0x82, ID, text(bytes), 0)),

  malformed('3.10.1-1', 'UNSUBSCRIBE with flags 0', packet(0xa0, ID, text('a'))),
  malformed('3.10.1-1', 'UNSUBSCRIBE marked as a repetition', packet(0xaa, ID, text('a'))),
  malformed('2.3.1-1', 'UNSUBSCRIBE with identifier 0', packet(0xa2, 0, 0, text('a'))),
  malformed('3.10.3-2', 'UNSUBSCRIBE without a filter', packet(0xa2, ID)),
  malformed('3.10.3-1', 'UNSUBSCRIBE with half a length', packet(0xa2, ID, 0)),
  malformed('3.10.3-1', 'UNSUBSCRIBE whose filter is longer than the packet', packet(0xa2, ID, 0, 5, 0x61)),
  ...FILTERS.map(([clause, filter]) =>
    malformed(clause, `UNSUBSCRIBE from '${filter}'`, packet(0xa2, ID, text(filter))),
  ),
  ...inEveryText('a filter to leave', (bytes) => packet(0xa2, ID, text(bytes))),

  malformed('2.2.2-2', 'PINGREQ with flags', packet(0xc1)),
  malformed('3.12', 'PINGREQ with a byte', packet(0xc0, 0)),
  malformed('3.14.1-1', 'DISCONNECT with flags', packet(0xe8)),
  malformed('3.14', 'DISCONNECT with a byte', packet(0xe0, 0)),
]

/** What lies just within the rules, and its answer. */
export const WELL_FORMED: readonly (readonly [what: string, bytes: Buffer, answer: readonly number[]])[] = [
  ['a length written longer than it needs', Buffer.of(0xc0, 0x80, 0x00), [0xd0, 0]],
  ['a topic with U+FEFF [MQTT-1.5.3-3]', packet(0x32, text([0xef, 0xbb, 0xbf, 0x61]), ID), [0x40, 2, ...ID]],
  ['a topic with U+FFFD', packet(0x32, text([0xef, 0xbf, 0xbd]), ID), [0x40, 2, ...ID]],
  ['a topic beyond the first plane', packet(0x32, text('🧫/Ω'), ID), [0x40, 2, ...ID]],
  ['a topic of slashes', packet(0x32, text('//'), ID), [0x40, 2, ...ID]],
  ['a repetition of QoS 1', packet(0x3a, text('a'), ID), [0x40, 2, ...ID]],
  ['identifier 65535', packet(0x32, text('a'), 0xff, 0xff), [0x40, 2, 0xff, 0xff]],
  ['a PUBLISH of QoS 2', packet(0x34, text('a'), ID), [0x50, 2, ...ID]],
  ['a release of nothing', packet(0x62, ID), [0x70, 2, ...ID]],
  [
    'filters of all kinds',
    packet(0x82, ID, ...['#', '+', '/', '+/+', 'a//b', '/#', '+/#', ' '].flatMap((filter) => [text(filter), 1])),
    [0x90, 10, ...ID, 1, 1, 1, 1, 1, 1, 1, 1],
  ],
  ['a filter twice in one packet [MQTT-3.8.4-5]', packet(0x82, ID, text('x'), 1, text('x'), 2), [0x90, 4, ...ID, 1, 2]],
  ['the end of a subscription that never was [MQTT-3.10.4-5]', packet(0xa2, ID, text('never')), [0xb0, 2, ...ID]],
]

/** CONNECT packets that are served. */
export const SERVED_CONNECTS: readonly (readonly [what: string, bytes: Buffer])[] = [
  ['an empty client id and a clean session', connectPacket(MQTT, CLEAN, KEEPALIVE, text(''))],
  ['a client id of 256 bytes', connectPacket(MQTT, CLEAN, KEEPALIVE, text('c'.repeat(256)))],
  ['an empty user name', connectWith(CLEAN | 128, text(''))],
  ['an empty password', connectWith(CLEAN | 128 | 64, text('u'), text(''))],
  ['a password of any bytes', connectWith(CLEAN | 128 | 64, text('u'), text([0, 0xff, 1]))],
  ['an empty will message of any QoS', connectWith(CLEAN | 4 | 16 | 32, text('w'), text(''))],
  ['MQTT 3.1', connectPacket(MQISDP, CLEAN, KEEPALIVE, text('c31'))],
  ['MQTT 3.1 with a name longer than 23 characters', connectPacket(MQISDP, CLEAN, KEEPALIVE, text('c'.repeat(40)))],
  [
    'MQTT 3.1 with flags of a user name and a password that are not there',
    connectPacket(MQISDP, CLEAN | 128 | 64, KEEPALIVE, text('c32')),
  ],
]
