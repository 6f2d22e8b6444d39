import type { NewEvent } from '../events/event.js'
import { ProtocolViolation } from './protocol-violation.js'
import { PUBACK, PUBCOMP, PUBREC, type PublishFrame } from './publish-frame.codec.js'
import type { ReceivedMessages } from './received-messages.js'
import type { SendBuffer } from './send-buffer.js'

/** Bytes of one connection that may wait for the log; then nothing more is read from it until half of them are recorded. A flood is
 * held back early, because others wait behind it; on a full disk the clients' pings stand behind their messages. */
const WAITING_BYTES = { writable: 1024 * 1024, unwritable: 8 * 1024 * 1024 } as const
/** What an event takes in memory on top of its bytes. */
const OVERHEAD_BYTES = 200
/** QoS 2 messages a client may leave unreleased; as Mosquitto is set up on a leader. */
const MAX_UNRELEASED = 1000

const bytesOf = ({ topic, payload }: PublishFrame): number => OVERHEAD_BYTES + topic.length + payload.length

export interface PublisherPorts {
  readonly clientId: string
  /** The client has a persistent session: what it must not send twice is kept in the log. */
  readonly persistent: boolean
  readonly sendBuffer: SendBuffer
  readonly received: ReceivedMessages
  /** Calls `settle` when the event is recorded and delivered, or with the reason why it is not. */
  record(event: NewEvent, settle: (error?: Error | null) => void): void
  /** Stops and goes on reading from the connection. */
  pause(): void
  resume(): void
  /** Closes the connection. */
  fail(error: unknown): void
}

/** The sending side of one connection. What comes is recorded in its order, and acknowledged once it is recorded and delivered; while
 * it waits, the connection is read on, so that a client with messages under way still gets answers to its pings. */
export class Publisher {
  readonly #ports: PublisherPorts
  #limitBytes: number = WAITING_BYTES.writable
  #waitingBytes = 0
  #paused = false

  constructor(ports: PublisherPorts) {
    this.#ports = ports
  }

  /** The log can be written, or cannot. */
  adaptTo({ writable }: { readonly writable: boolean }): void {
    this.#limitBytes = writable ? WAITING_BYTES.writable : WAITING_BYTES.unwritable
    this.#adjustReading()
  }

  receive(frame: PublishFrame): void {
    if (frame.qos === 2) this.#receiveOnce(frame)
    else this.#record(frame, (error) => this.#settled(frame, error))
  }

  /** PUBREL came. It is answered even when nothing is known of the message: the client would repeat it for ever. */
  release(messageId: number): void {
    const { clientId, received, sendBuffer } = this.#ports
    this.#waitFor(received.release(clientId, messageId), () => sendBuffer.acknowledge(PUBCOMP, messageId))
  }

  #receiveOnce(frame: PublishFrame): void {
    const { clientId, persistent, received, fail } = this.#ports
    const { messageId } = frame
    const earlier = received.find(clientId, messageId)
    if (earlier !== undefined) {
      this.#waitFor(earlier, () => this.#acknowledge(frame))
      return
    }
    if (received.count(clientId) >= MAX_UNRELEASED) {
      fail(new ProtocolViolation(`${MAX_UNRELEASED} messages of QoS 2 wait for their release`))
      return
    }
    const recorded = new Promise<void>((resolve, reject) => {
      this.#record(frame, (error) => {
        if (error == null) {
          resolve()
        } else {
          received.remove(clientId, messageId)
          reject(error)
        }
        this.#settled(frame, error)
      })
    })
    recorded.catch(() => undefined)
    received.add(clientId, messageId, recorded, persistent)
  }

  /** Answers when something is on disk. What waits so counts like a message: it could be repeated without end. */
  #waitFor(written: Promise<void>, answer: () => void): void {
    this.#wait(OVERHEAD_BYTES)
    written
      .then(answer)
      .catch(this.#ports.fail)
      .finally(() => this.#wait(-OVERHEAD_BYTES))
  }

  #wait(bytes: number): void {
    this.#waitingBytes += bytes
    this.#adjustReading()
  }

  #record(frame: PublishFrame, settle: (error?: Error | null) => void): void {
    const { topic, payload, qos, retain, messageId } = frame
    const { clientId: client, persistent } = this.#ports
    const event = { topic, payload, qos, retain, client }
    this.#wait(bytesOf(frame))
    this.#ports.record(qos === 2 && persistent ? { ...event, messageId } : event, settle)
  }

  #settled(frame: PublishFrame, error: Error | null | undefined): void {
    this.#waitingBytes -= bytesOf(frame)
    if (error == null) this.#acknowledge(frame)
    else this.#ports.fail(error)
    this.#adjustReading()
  }

  #adjustReading(): void {
    if (!this.#paused && this.#waitingBytes > this.#limitBytes) {
      this.#paused = true
      this.#ports.pause()
    } else if (this.#paused && this.#waitingBytes <= this.#limitBytes / 2) {
      this.#paused = false
      this.#ports.resume()
    }
  }

  #acknowledge({ qos, messageId }: PublishFrame): void {
    if (qos > 0) this.#ports.sendBuffer.acknowledge(qos === 1 ? PUBACK : PUBREC, messageId)
  }
}
