The file tree, by our own file system: writes stay in the sandbox, volumes do not, and what the image had is all there.
# needs: userns fuse net tool:umoci tool:skopeo

  $ SMALL=oci:$IMAGES/small:latest
  $ mkdir -p ~/.config/sbx; echo 'overlay = "fuse"' >~/.config/sbx/sbx.conf
  $ sbx run --rm $SMALL sh -c 'echo new >/data/plain; rm -r /kept; mkdir /made; cat /data/plain; ls -d /kept /made'
  new
  ls: /kept: No such file or directory
  /made
  [exit 1]
  $ sbx run --rm $SMALL sh -c 'cat /data/plain; ls -d /kept'
  plain
  /kept

The layers were put together right: whiteouts, opaque directories, replaced files, links across layers.

  $ sbx run --rm $SMALL sh -c 'cat /gone; ls /emptied; cat /kept/replaced /kept/removed /becomes-file /becomes-folder/inside'
  a file where a folder was whited out
  new
  new and longer
  back again
  now a file
  now a folder
  $ sbx run --rm $SMALL sh -c 'stat -c "%h %n" /linked-later /linked-now /data/third-name; cat /linked-now'
  2 /linked-later
  2 /linked-now
  3 /data/third-name
  gets a second name two layers up
  $ sbx run --rm $SMALL cat /implicit/parent/is/never/named /data/climbing-link
  implicit parents
  ID=small
  NAME="Small"

Renaming, linking and changing what came from the image.

  $ sbx run --rm $SMALL sh -c 'mv /kept /moved && ls /moved && mv /moved/replaced /moved/x && cat /moved/x'
  chmodded
  pair-a
  pair-b
  removed
  replaced
  new and longer
  $ sbx run --rm $SMALL sh -c 'cd /data; echo more >>first-name; cat third-name; stat -c %h second-name; stat -c %i first-name third-name | uniq | wc -l'
  one inode, three names
  more
  3
  1
  $ sbx run --rm $SMALL sh -c 'setfattr -n user.color -v red /data/xattr; getfattr --absolute-names -n user.color --only-values /data/xattr; echo; rm /data/big; ls /data | wc -l'
  red
  14

Volumes: a folder of the caller, written as the caller; read-only on demand.

  $ mkdir shared; echo from outside >shared/file
  $ sbx run --rm -v $PWD/shared:/mnt $SMALL sh -c 'cat /mnt/file; echo from inside >/mnt/made'
  from outside
  $ cat shared/made; stat -c %U shared/made | sed "s/$USER/me/"
  from inside
  me
  $ sbx run --rm -v $PWD/shared:/mnt:ro $SMALL sh -c 'cat /mnt/file; touch /mnt/made'
  from outside
  touch: /mnt/made: Read-only file system
  [exit 1]
  $ sbx run --rm -v $PWD/shared/file:/etc/os-release $SMALL cat /etc/os-release
  from outside
  $ sbx run --rm -v $PWD/absent:/mnt:wrong $SMALL true >out 2>&1; echo $?; grep -c wrong out
  125
  1

--tmpfs and --read-only.

  $ sbx run --rm --tmpfs /scratch $SMALL sh -c 'touch /scratch/x && stat -f -c %T /scratch'
  tmpfs
  $ sbx run --rm --read-only $SMALL sh -c 'touch /x; touch /dev/shm/y && echo shm'
  touch: /x: Read-only file system
  shm
  $ sbx run --rm --read-only --tmpfs /tmp -v $PWD/shared:/mnt $SMALL sh -c 'touch /tmp/x /mnt/z && echo both'
  both

What the sandbox leaves on disk belongs to the caller, whatever owner it has inside.

  $ sbx run --name kept $SMALL sh -c 'touch /a; mkdir -m 0 /b; touch /b/c; chmod 0 /a'
  $ find $HOME/.local/share/sbx/containers ! -user $USER | wc -l
  0
  $ rm -rf $HOME/.local/share/sbx/containers && echo removed
  removed
