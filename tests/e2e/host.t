`host`: the machine's own tree, thrown away afterwards.
# needs: userns fuse net

  $ sbx run --rm --net none host sh -c 'echo gone >/etc/written-in-the-sandbox; cat /etc/written-in-the-sandbox'
  gone
  $ ls /etc/written-in-the-sandbox
  ls: cannot access '/etc/written-in-the-sandbox': No such file or directory
  [exit 2]
  $ sbx run --rm --net none host cat /etc/os-release | cmp - /etc/os-release
  $ echo mine >file; sbx run --rm --net none host sh -c "cat $PWD/file; echo changed >$PWD/file; cat $PWD/file"; cat file
  mine
  changed
  mine
  $ sbx run --rm --net none host sh -c 'ls /proc/1/root >/dev/null 2>&1; ls /run | wc -l'
  0

What the caller cannot read stays unreadable, though the sandbox has a root user.

  $ [ -r /etc/shadow ] || sbx run --rm --net none host cat /etc/shadow
  cat: /etc/shadow: Permission denied
  [exit 1]
  $ sbx run --rm --net none host python3 -c 'print(6 * 7)'
  42

`dir:` does the same with any folder.

  $ mkdir -p root/bin root/etc; cp $(command -v busybox) root/bin/; ln -s busybox root/bin/sh; ln -s busybox root/bin/ls
  $ sbx run --rm --net none dir:$PWD/root sh -c 'echo new >/etc/x; ls /etc'; ls root/etc
  hostname
  hosts
  resolv.conf
  x
  $ sbx run --rm --net none dir:$PWD/absent true >out 2>&1; echo $?; grep -c absent out
  125
  1
