The image's config: user, groups, entrypoint, command, working directory. Reference `alice` of the small image.
# needs: userns fuse net ids:full tool:umoci tool:skopeo

  $ ALICE=oci:$IMAGES/small:alice
  $ sbx run --rm $ALICE
  entry point default
  $ sbx run --rm $ALICE other arguments
  entry other arguments
  $ sbx run --rm --entrypoint id $ALICE
  uid=1000(alice) gid=50(staff) groups=50(staff)
  $ sbx run --rm --entrypoint pwd $ALICE
  /data
  $ sbx run --rm --entrypoint sh $ALICE -c 'echo $HOME; stat -c "%U %G %A" plain; cat plain'
  /home/alice
  alice staff -rw-r-----
  plain
  $ sbx run --rm --entrypoint cat $ALICE no-access
  cat: can't open 'no-access': Permission denied
  [exit 1]

-u takes names and numbers, with and without a group; a user of the image brings its supplementary groups.

  $ SMALL=oci:$IMAGES/small:latest
  $ sbx run --rm -u alice $SMALL id
  uid=1000(alice) gid=1000(alice) groups=10(wheel),50(staff),1000(alice)
  $ sbx run --rm -u 1000:10 $SMALL id
  uid=1000(alice) gid=10(wheel) groups=10(wheel)
  $ sbx run --rm -u 4321 $SMALL id -u
  4321
  $ sbx run --rm -u 4321:wheel $SMALL sh -c 'id -u; id -g; touch /tmp/x && stat -c "%u %g" /tmp/x; echo $HOME'
  4321
  10
  4321 10
  /

Root of the sandbox owns nothing on the host; other users of the image are other users.

  $ sbx run --rm $SMALL su alice -c 'id -un; touch /etc/x'
  alice
  touch: /etc/x: Permission denied
  [exit 1]
  $ sbx run --rm $SMALL sh -c 'touch /data/new && chown alice:staff /data/new && chmod 2711 /data/new && stat -c "%U:%G %a" /data/new'
  alice:staff 2711
