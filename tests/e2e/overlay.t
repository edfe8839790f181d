Who takes the changes to an image: the kernel's overlay, or our file system. Both show the same, but for what sbx-run(1) says.
# needs: userns fuse ids:full tool:umoci tool:skopeo

  $ SMALL=oci:$IMAGES/small:latest
  $ engine() { sbx run "$@" --net none $SMALL sh -c 'awk "\$2 == \"/\" {print \$3}" /proc/mounts'; }
  $ sbx run --rm --dry-run $SMALL true >/dev/null; ls -d ~/.local/share/sbx/probes
  ls: cannot access '*/sbx/probes': No such file or directory (glob)
  [exit 2]
  $ engine --rm
  overlay
  $ cat ~/.local/share/sbx/probes/*
  works (no-eol)
  $ engine --rm --overlay=kernel
  overlay
  $ engine --rm --overlay=fuse
  fuse.sbx
  $ engine --rm --read-only
  fuse.sbx
  $ engine
  fuse.sbx
  $ sbx run --rm --dry-run --overlay=kernel $SMALL true | grep '"overlay"'
      "overlay": "kernel",

The root is that of the image, and everything can be written, given away and removed.

  $ for engine in kernel fuse; do
  >   sbx run --rm --net none --overlay=$engine $SMALL sh -c '
  >     stat -c "%a %u:%g %Y" /; echo new >>/data/plain; cat /data/plain; rm -r /kept; mkdir /kept; ls -A /kept
  >     mkdir -p /a/b; touch /a/b/c; chown -R 33:44 /a; chmod 700 /a; stat -c "%u:%g" /a/b/c; ln -s x /a/l; mkfifo /a/f; ls /a' >$engine.out 2>&1
  > done; diff kernel.out fuse.out && tail -n +2 kernel.out
  plain
  new
  33:44
  b
  f
  l

What others of the sandbox own goes too, also if nobody is left to remove it.

  $ ls -A ~/.local/share/sbx/containers | wc -l
  1
  $ sbx run --rm --net none --overlay=kernel $SMALL sh -c 'mkdir -p /a/b; touch /a/b/c; chown -R 33:44 /a; chmod 700 /a; exec sleep 1000' & sbx=$!
  $ until ls -d ~/.local/share/sbx/containers/*/upper/a >/dev/null 2>&1; do sleep 0.1; done; sleep 0.3; kill -9 $sbx; wait $sbx 2>/dev/null; echo $?
  137
  $ ls -A ~/.local/share/sbx/containers | wc -l
  2
  $ for i in 1 2 3 4 5 6 7 8 9; do sbx run --rm --net none $SMALL true; [ "$(ls -A ~/.local/share/sbx/containers | wc -l)" = 1 ] && break; sleep 0.2; done; ls -A ~/.local/share/sbx/containers | wc -l
  1
  $ sbx run --name kept --net none --overlay=kernel $SMALL sh -c 'mkdir /a; touch /a/x; chown -R 33 /a'
  $ sbx export -o kept.tar kept
  sbx: cannot export 'kept': the kernel's overlay took its changes, which is not read yet
    hint: run it with --overlay=fuse
  [exit 125]
  $ sbx system prune --force >/dev/null; ls -A ~/.local/share/sbx/containers | wc -l
  0

What the kernel cannot do is told.

  $ sbx run --rm --overlay=kernel --userns=single $SMALL true
  sbx: cannot use the kernel's overlay for 'oci:*': it keeps owners on disk, and there are no subordinate ids for them (glob)
    hint: --overlay=fuse works everywhere
  [exit 125]
  $ sbx run --rm --overlay=kernel host true
  sbx: cannot use the kernel's overlay for 'host': the root is no image
    hint: --overlay=fuse works everywhere
  [exit 125]
  $ sbx run --rm --overlay=zfs $SMALL true 2>&1 | head -1
  sbx: --overlay: 'zfs' is not supported
  $ engine --rm --userns=single
  fuse.sbx
  $ mkdir -p ~/.config/sbx; echo 'overlay = "fuse"' >~/.config/sbx/sbx.conf; engine --rm
  fuse.sbx

What the file system was asked is told at the end, also of a container that is thrown away; what the kernel's overlay did is not among it.

  $ stats() { sbx run --rm --fs-stats --net none "$@" $SMALL sh -c 'for i in 1 2 3; do echo a >/n$i; done; rm /n1; echo done' 2>&1; }
  $ stats --overlay=fuse | awk '/^request/ || $1 ~ /^(MKNOD|UNLINK|WRITE)$/ && $3 > 0 {print $1, $2}' | sort
  MKNOD 3
  UNLINK 1
  WRITE 3
  request count
  $ stats --overlay=kernel | awk '/^(done|request|all)/ || /MKNOD|UNLINK|WRITE/ {print $1}'
  done
  request
  all

The invoker may be called by other numbers inside: what is written to a volume is the invoker's, nothing of the image changes hands.

  $ mkdir vol; ME=$(id -u):$(id -g)
  $ for engine in fuse kernel; do
  >   sbx run --rm --net none --overlay=$engine --userns=keep-id:uid=33,gid=44 -v $PWD/vol:/vol $SMALL sh -c \
  >     "id -u; id -g; touch /vol/$engine; stat -c '%u:%g' /vol/$engine /data /"
  >   [ "$(stat -c %u:%g vol/$engine)" = $ME ] && echo mine
  > done
  33
  44
  33:44
  1000:50
  0:0
  mine
  33
  44
  33:44
  1000:50
  0:0
  mine
  $ sbx run --rm --net none --userns=keep-id:uid=0 $SMALL sh -c 'id -u; [ $(id -g) = '$(id -g)' ] && echo own group'
  0
  own group
  $ sbx run --userns=keep-id:uid=1,uid=2 $SMALL true
  sbx: --userns 'keep-id:uid=1,uid=2' is not understood
    hint: after 'keep-id:' come uid=NUMBER and gid=NUMBER, with a comma between them
  [exit 125]
  $ sbx run --userns=host $SMALL true
  sbx: --userns 'host' is not supported
    hint: auto, full, single, keep-id and keep-id:uid=N,gid=N are
  [exit 125]

A quota is counted by our file system, whatever lies below it, and shown to those inside.

  $ sbx run --rm --net none --storage-opt size=8m --storage-opt inodes=20 $SMALL sh -c '
  >   df -k / | awk "NR == 2 {print \$2}"; df -i / | awk "NR == 2 {print \$2}"; awk "\$2 == \"/\" {print \$3}" /proc/mounts
  >   dd if=/dev/zero of=/big bs=1M count=20; ls -l /big | awk "{print \$5}"; rm /big
  >   dd if=/dev/zero of=/big bs=1M count=5 2>/dev/null && echo fits
  >   i=0; while touch /f$i; do i=$((i+1)); done; [ $i -lt 20 ] && echo full; rm /f1; until touch /again 2>/dev/null; do sleep 0.01; done' 2>&1
  8192
  20
  fuse.sbx
  dd: error writing '/big': No space left on device
  * (glob)
  * (glob)
  7340032
  fits
  touch: /f*: No space left on device (glob)
  full
  $ sbx run --rm --overlay=kernel --storage-opt size=8m $SMALL true
  sbx: cannot use the kernel's overlay for '*': it has no quota (--storage-opt) (glob)
    hint: --overlay=fuse works everywhere
  [exit 125]
  $ sbx run --storage-opt size=much $SMALL true
  sbx: --storage-opt 'size=much' is not understood
    hint: a number above 0, for sizes with k, m, g or t behind it
  [exit 125]
  $ sbx run --storage-opt dm.basesize=1g $SMALL true
  sbx: --storage-opt 'dm.basesize=1g' is not supported
    hint: size=BYTES and inodes=NUMBER are
  [exit 125]
