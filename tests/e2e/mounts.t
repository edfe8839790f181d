Binds, tmpfs and the options of both.
# needs: userns fuse net tool:umoci
# timeout: 120

  $ sbx load -q oci:$IMAGES/small:latest >/dev/null; mkdir -p 'with space/sub'; echo text >'with space/file'; ln -s 'with space' link

A path with a space, a symbolic link, a file, a socket, a directory that is not there.

  $ sbx run --rm -v "$PWD/with space:/m" -v ./link/file:/f small cat /m/file /f
  text
  text
  $ sbx run --rm -v "$PWD/link:/m:ro" small sh -c 'ls /m; touch /m/x'
  file
  sub
  touch: /m/x: Read-only file system
  [exit 1]
  $ python3 -c "import socket; s = socket.socket(socket.AF_UNIX); s.bind('sock')"; sbx run --rm -v ./sock:/run/s small stat -c %F /run/s
  socket
  $ sbx run --rm -v ./made/here:/m small sh -c 'echo x >/m/x'; stat -c %U made/here/x | sed "s/$USER/me/"
  me
  $ sbx run --rm --mount type=bind,src=absent,dst=/m small true; ls absent
  sbx: cannot mount from the host '$ROOT/work/absent': No such file or directory
    hint: --volume makes a directory that is not there
  ls: cannot access 'absent': No such file or directory
  [exit 2]

--mount, with docker's keys and quotation marks.

  $ mkdir 'a,b'; echo comma >'a,b/c'; sbx run --rm --mount "type=bind,\"src=$PWD/a,b\",dst=/m,readonly" small sh -c 'cat /m/c; touch /m/x'
  comma
  touch: /m/x: Read-only file system
  [exit 1]
  $ sbx run --rm --mount type=tmpfs,dst=/m,tmpfs-size=1m,tmpfs-mode=1770 small sh -c 'stat -c %a /m; stat -f -c %b*%S /m; grep " /m " /proc/self/mountinfo | cut -d" " -f6'
  1770
  256*4096
  rw,nosuid,nodev,noexec,relatime
  $ sbx run --rm --mount type=bind,src=/,dst=/m,nonsense small true; sbx run --rm --mount dst=m small true; sbx run --rm --mount type=volume,src=x,dst=/m,volume-opt=o=x small true
  sbx: cannot use --mount 'type=bind,src=/,dst=/m,nonsense': 'nonsense' is no key of a mount of type bind
    hint: see MOUNTS in sbx-run(1)
  sbx: cannot use --mount 'dst=m': the destination must be an absolute path inside the sandbox
  sbx: cannot use --mount 'type=volume,src=x,dst=/m,volume-opt=o=x': volumes are directories: there is no other driver, and it has no options
  [exit 125]

Options of -v that mean something, nothing, or cannot be.

  $ sbx run --rm -v $PWD:/m:noexec,nosuid,nodev,z,Z,rprivate small sh -c 'grep " /m " /proc/self/mountinfo | cut -d" " -f6 | tr , "\n" | grep "^no[esd]" | sort | xargs'
  nodev noexec nosuid
  $ sbx run --rm -v $PWD:/m:rslave small sh -c 'grep -c " /m .* master:" /proc/self/mountinfo' | sed 's/[01]/ok/'
  ok
  $ sbx run --rm -v $PWD:/m:rshared small true; sbx run --rm -v $PWD:/m:O small true
  sbx: cannot use --volume '$ROOT/work:/m:rshared': what a sandbox mounts cannot appear on the host, as it is not root's
    hint: rslave shows inside what the host mounts there later
  sbx: cannot use --volume '$ROOT/work:/m:O': option 'O' is not supported
    hint: options are ro, rw, nocopy, U, z, Z, bind, rbind, [r]private, [r]slave, nosuid, nodev, noexec and their opposites
  [exit 125]
  $ sbx run --rm -v $PWD:/m -v $PWD:/m/ small true
  sbx: cannot mount at '/m': two mounts have this destination
  [exit 125]

Given to the user of the container, and back.

  $ mkdir given; echo x >given/file; ln -s /etc/passwd given/link; sbx run --rm -v ./given:/m:U small sh -c 'stat -c %u /m /m/file /m/link | uniq'
  0

Memory: of --tmpfs, of /dev/shm, and where a read-only root lets programs write.

  $ sbx run --rm --tmpfs /m:size=64k,mode=700,uid=0,nr_inodes=10,exec small sh -c 'stat -c %a /m; stat -f -c %c /m; cp /bin/busybox /m/sh 2>/dev/null || echo full'
  700
  10
  full
  $ sbx run --rm --tmpfs /m:size=lots small true
  sbx: cannot use --tmpfs '/m:size=lots': size=lots is not understood
    hint: sizes are bytes, with k, m or g behind, or a percentage of memory; modes are octal
  [exit 125]
  $ sbx run --rm --shm-size 1m small stat -f -c %b /dev/shm; sbx run --rm small stat -f -c %b /dev/shm; sbx run --rm --shm-size much small true
  256
  16384
  sbx: --shm-size 'much' is not understood
    hint: a number, with k, m or g behind it
  [exit 125]
  $ sbx run --rm --read-only small sh -c 'touch /x; touch /tmp/x /var/tmp/x /run/x && stat -c "%a %n" /tmp /var/tmp /run'
  touch: /x: Read-only file system
  1777 /tmp
  1777 /var/tmp
  755 /run
  $ sbx run --rm --read-only --read-only-tmpfs=false small touch /tmp/x; sbx run --rm --read-only -v ./given:/tmp:ro small touch /tmp/x
  touch: cannot touch '/tmp/x': Read-only file system
  touch: cannot touch '/tmp/x': Read-only file system
  [exit 1]

Started again, a container mounts what it mounted; a bind that is gone by then is told, or made.

  $ mkdir later; echo 1 >later/n; sbx create --name twice -v ./later:/m --mount type=bind,src=given,dst=/g small sh -c 'cat /m/n; ls /g' >/dev/null; sbx start twice >/dev/null; sbx wait twice; echo 2 >later/n; sbx start twice >/dev/null; sbx wait twice; sbx logs twice
  0
  0
  1
  file
  link
  2
  file
  link
  $ mv given elsewhere; sbx start twice; mv elsewhere given; rm -r later; sbx start twice; sbx wait twice; ls later; sbx rm twice
  sbx: cannot mount from the host '$ROOT/work/given': No such file or directory
    hint: --volume makes a directory that is not there
  twice
  0
  twice
