import { describe, expect, test } from 'vitest'
import { mountArguments, mountError, rsyncError } from '../../../services/nas-upload/mount-rsync.codec.js'
import { configFor } from '../../../services/nas-upload/nas-config.js'
import { readListing, sessionError } from '../../../services/nas-upload/smbclient.codec.js'

const config = configFor(
  { host: 'nas.local:4450', share: 'experiments', username: 'lab', password: 'x' },
  { credPath: '/etc/nas-credentials' },
)

describe('smbclient', () => {
  test('lists sizes by path', () => {
    // Recorded from Samba 4.17.12, `recurse ON; ls "Box01\Exp\*"`.
    const listing = `  .                                   D        0  Fri Nov 20 12:16:06 2026
  ..                                  D        0  Fri Nov 20 12:16:06 2026
  UPLOAD.txt                          A        3  Fri Nov 20 12:16:06 2026
  slot01                              D        0  Sun Nov  1 02:16:06 2026

\\Box01\\Exp\\slot01
  .                                   D        0  Fri Nov 20 12:16:06 2026
  CV                                  D        0  Fri Nov 20 12:16:06 2026

\\Box01\\Exp\\slot01\\CV
  Exp_slot01_CV.csv                   N  1234567  Fri Nov 20 12:16:06 2026

		264212084 blocks of size 1024. 82599300 blocks available
`
    expect([...readListing(listing, 'Box01/Exp')]).toEqual([
      ['UPLOAD.txt', 3],
      ['slot01/CV/Exp_slot01_CV.csv', 1234567],
    ])
  })

  test.each([
    ['session setup failed: NT_STATUS_LOGON_FAILURE', 1, 'nas.wrong_password'],
    ['tree connect failed: NT_STATUS_BAD_NETWORK_NAME', 1, 'nas.no_share'],
    ['do_connect: Connection to 127.0.0.1 failed (Error NT_STATUS_CONNECTION_REFUSED)', 1, 'nas.unreachable'],
    ['do_connect: Connection to nohost.invalid failed (Error NT_STATUS_UNSUCCESSFUL)', 1, 'nas.unreachable'],
    ['Error writing file: NT_STATUS_DISK_FULL', 0, 'nas.full'],
    ['NT_STATUS_ACCESS_DENIED opening remote file \\a', 0, 'nas.not_permitted'],
    ['NT_STATUS_OBJECT_PATH_NOT_FOUND opening remote file \\a\\b', 0, 'nas.failed'],
    ['something unheard of', 1, 'nas.failed'],
  ])('%s', (output, status, code) => {
    expect(sessionError(output, status)?.code).toBe(code)
  })

  test('does not mind a directory that is there already', () => {
    expect(sessionError('NT_STATUS_OBJECT_NAME_COLLISION making remote directory \\Box01\n', 0)).toBeNull()
  })
})

describe('mount', () => {
  const owner = { uid: 1000, gid: 100 }

  test('gets the options of the contract, the port, and the credentials as a file', () => {
    expect(mountArguments(config, '/mnt/nas_box/health', { ...owner, readOnly: true })).toEqual([
      '-t',
      'cifs',
      '//nas.local/experiments',
      '/mnt/nas_box/health',
      '-o',
      'credentials=/etc/nas-credentials,vers=3,iocharset=utf8,uid=1000,gid=100,file_mode=0644,dir_mode=0755,noserverino,port=4450,ro',
    ])
  })

  test.each([
    ['mount error(13): Permission denied\nRefer to the mount.cifs(8) manual page', 'nas.wrong_password'],
    ['mount error(113): could not connect to 10.0.0.9Unable to find suitable address.', 'nas.unreachable'],
    ['mount error(111): could not connect to 127.0.0.1Unable to find suitable address.', 'nas.unreachable'],
    ['mount error: could not resolve address for nas.invalid: Unknown error', 'nas.unreachable'],
    ['mount error(2): No such file or directory', 'nas.no_share'],
    ['mount error(95): Operation not supported', 'nas.unsupported'],
    ['mount error(79): Can not access a needed shared library', 'nas.unsupported'],
    ['mount: unknown filesystem', 'nas.failed'],
  ])('%s', (output, code) => {
    expect(mountError(output).code).toBe(code)
  })
})

test.each([
  [
    'rsync: [receiver] write failed on "/mnt/x": No space left on device (28)\nrsync error: error in file IO',
    11,
    'nas.full',
  ],
  ['rsync: [generator] mkdir "/mnt/x" failed: Permission denied (13)', 23, 'nas.not_permitted'],
  ['rsync error: received SIGINT', 20, 'nas.failed'],
])('rsync says %s', (output, status, code) => {
  expect(rsyncError(output, status).code).toBe(code)
})
