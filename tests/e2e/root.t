Started by root: the sandbox is in a user namespace all the same, and its root is nobody on the machine.
# needs: userns fuse net

  $ id -u
  0
  $ sbx run --rm --net none host id -u
  0
  $ sbx run --rm --net none host cat /proc/self/uid_map | awk '$1 == 0 { print ($2 == 0 ? "root is root" : "root is somebody else") }'
  root is somebody else
  $ sbx run --rm --net none host sh -c 'touch /etc/made-by-root && echo made'; ls /etc/made-by-root
  made
  ls: cannot access '/etc/made-by-root': No such file or directory
  [exit 2]
  $ sbx run --rm host sh -c 'ip -4 -o addr show eth0 | grep -o 10.0.2.100'
  10.0.2.100
  $ mkdir -m 755 shared; chmod 711 .. .; sbx run --rm --net none -v $PWD/shared:/mnt host sh -c 'touch /mnt/x 2>/dev/null && echo written; ls -ln / >/dev/null && echo listed'
  listed
