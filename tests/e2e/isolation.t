What a sandbox does not see and cannot do.
# needs: userns fuse net tool:umoci tool:skopeo

  $ SMALL=oci:$IMAGES/small:latest
  $ sbx run --rm --net none $SMALL sh -c 'echo $$; ls /proc | grep -c "^[0-9]"' | awk '{ print ($1 < 10) }'
  1
  1
  $ for space in cgroup ipc mnt net pid user uts; do
  >   [ "$(readlink /proc/self/ns/$space)" != "$(sbx run --rm --net none $SMALL readlink /proc/self/ns/$space)" ] && echo $space
  > done
  cgroup
  ipc
  mnt
  net
  pid
  user
  uts

Capabilities are docker's default set, in every set; no_new_privs is on; no file descriptor of ours is open.

  $ sbx run --rm --net none $SMALL grep -E '^(Cap(Prm|Eff|Bnd)|NoNewPrivs)' /proc/self/status
  CapPrm:	00000000a80425fb
  CapEff:	00000000a80425fb
  CapBnd:	00000000a80425fb
  NoNewPrivs:	1
  $ sbx run --rm --net none $SMALL sh -c 'ls /proc/self/fd | wc -l'
  4

/sys and the settings below /proc cannot be written, the rest that is masked is empty.

  $ sbx run --rm --net none $SMALL sh -c 'echo x >/proc/sys/kernel/hostname'
  sh: can't create /proc/sys/kernel/hostname: Read-only file system
  [exit 1]
  $ sbx run --rm --net none $SMALL sh -c 'touch /sys/x'
  touch: /sys/x: Read-only file system
  [exit 1]
  $ sbx run --rm --net none $SMALL sh -c 'ls /sys/firmware | wc -l; wc -c </proc/timer_list'
  0
  0
  $ sbx run --rm --net none $SMALL sh -c 'mount -t tmpfs t /srv 2>&1; chroot / true 2>&1 >/dev/null; umount /proc 2>&1' | sed 's/:.*:/:/'
  mount: permission denied (are you root?)
  umount: Operation not permitted

Devices are the harmless ones.

  $ sbx run --rm --net none $SMALL sh -c 'cd /dev; ls'
  core
  fd
  full
  mqueue
  null
  ptmx
  pts
  random
  shm
  stderr
  stdin
  stdout
  tty
  urandom
  zero
  $ sbx run --rm --net none $SMALL sh -c 'head -c 4 /dev/zero | od -An -tx1; echo x >/dev/full'
   00 00 00 00
  sh: write error: No space left on device
  [exit 1]

The host's tree is not reachable: nothing of it is mounted but what was asked for, and our own program is not there.

  $ sbx run --rm --net none $SMALL sh -c 'grep -c " / / " /proc/self/mountinfo; grep -e /home -e /var/tmp /proc/1/mountinfo | grep -v -c " /etc/"'
  1
  0
  [exit 1]
  $ sbx run --rm --net none $SMALL sh -c 'readlink /proc/1/exe; ls /.old_root /oldroot 2>&1 | wc -l' | grep -v sbx
  2
