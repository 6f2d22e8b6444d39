const DAY_S = 86_400
/** The clock of the chip begins here at every boot. */
const BOOT_DATE_MS = Date.UTC(2000, 0, 1)

/** The device's calendar clock: nine integers as in C's `struct tm`. */
export class Calendar {
  /** Milliseconds UTC at second 0 of the device's life. */
  #originMs = BOOT_DATE_MS

  /** sec, min, hour, mday, mon (0–11), year since 1900, wday, yday, isdst. */
  fields(timeS: number): number[] {
    const date = new Date(this.#originMs + Math.floor(timeS) * 1000)
    const year = date.getUTCFullYear()
    const dayOfYear = Math.floor((date.getTime() - Date.UTC(year, 0, 1)) / 1000 / DAY_S)
    const time = [date.getUTCSeconds(), date.getUTCMinutes(), date.getUTCHours()]
    return [...time, date.getUTCDate(), date.getUTCMonth(), year - 1900, date.getUTCDay(), dayOfYear, 0]
  }

  /** Sets the clock from the first six of those fields. */
  set([sec = 0, min = 0, hour = 0, mday = 1, mon = 0, year = 100]: readonly number[], timeS: number): void {
    this.#originMs = Date.UTC(1900 + year, mon, mday, hour, min, sec) - Math.floor(timeS) * 1000
  }

  /** As after a boot at `timeS`. */
  reset(timeS: number): void {
    this.#originMs = BOOT_DATE_MS - Math.floor(timeS) * 1000
  }
}
