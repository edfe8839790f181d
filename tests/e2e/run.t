What `sbx run` does with a command: its output, its exit code, its surroundings. Everything as docker does it.
# needs: userns fuse net tool:umoci tool:skopeo

  $ SMALL=oci:$IMAGES/small:latest
  $ sbx run --rm $SMALL echo hello
  hello

The exit code is the command's; 128+N if signal N killed it; 127 not found, 126 not runnable, 125 our own failure.

  $ sbx run --rm $SMALL sh -c 'exit 7'
  [exit 7]
  $ sbx run --rm $SMALL sh -c 'kill -KILL $$'
  [exit 137]
  $ sbx run --rm $SMALL sh -c 'kill -TERM $$'
  [exit 143]
  $ sbx run --rm $SMALL no-such-command
  sbx: *no-such-command* (glob)
  [exit 127]
  $ sbx run --rm $SMALL /data/plain
  sbx: *'/data/plain'*Permission denied* (glob)
  [exit 126]
  $ sbx run --rm $SMALL /data >out 2>&1; echo $?; grep -c '^sbx: ' out
  126
  1
  $ sbx run --rm oci:$IMAGES/small:absent true >out 2>&1; echo $?; grep -c absent out
  125
  1
  $ sbx run --rm --no-such-option $SMALL true >out 2>&1; echo $?; grep -c -e --no-such-option out
  125
  1

Options end at the image; what follows is the command's.

  $ sbx run --rm $SMALL echo --rm -it
  --rm -it

Bytes pass through as they are, each on its own stream; without -i the command sees an empty stdin.

  $ sbx run --rm $SMALL sh -c 'echo out; echo err >&2' 2>/dev/null
  out
  $ sbx run --rm $SMALL sh -c 'echo out; echo err >&2' >/dev/null
  err
  $ head -c 3000000 /dev/urandom >random
  $ sbx run --rm -i $SMALL cat <random | cmp - random
  $ echo unseen | sbx run --rm $SMALL cat
  $ sbx run --rm $SMALL head -c 5000000 /dev/zero | wc -c
  5000000
  $ sbx run --rm $SMALL yes | head -n 1
  y

Environment: the image's, HOME, HOSTNAME, then -e and --env-file. `-e NAME` takes the caller's value.

  $ sbx run --rm -e A=1 -e B= $SMALL sh -c 'echo "$A,${B-unset},$GREETING,$HOME"'
  1,,hello world,/root
  $ FROM_CALLER=yes sbx run --rm -e FROM_CALLER -e NOT_SET $SMALL sh -c 'echo "$FROM_CALLER,${NOT_SET-unset}"'
  yes,unset
  $ printf '# comment\nX=1 2\n\nGREETING=bye\n' >env
  $ sbx run --rm --env-file env -e GREETING=last $SMALL sh -c 'echo "$X,$GREETING"'
  1 2,last
  $ sbx run --rm --hostname box $SMALL sh -c 'hostname; echo $HOSTNAME'
  box
  box

Where and as whom.

  $ sbx run --rm $SMALL pwd
  /
  $ sbx run --rm -w /data $SMALL pwd
  /data
  $ sbx run --rm -w /not/there/yet $SMALL pwd
  /not/there/yet
  $ sbx run --rm -w relative $SMALL pwd >out 2>&1; echo $?; grep -c relative out
  125
  1
  $ sbx run --rm $SMALL id -u
  0
  $ sbx run --rm -u nobody-here $SMALL id >out 2>&1; echo $?; grep -c nobody-here out
  125
  1

--entrypoint replaces the image's and drops its command.

  $ sbx run --rm --entrypoint /bin/echo $SMALL one two
  one two

A name can be given once; a container without --rm stays until it is removed, and its name with it.

  $ sbx run --rm --name first $SMALL echo named
  named
  $ sbx run --rm --name first $SMALL echo named again
  named again
  $ sbx run --rm --name 'bad name' $SMALL true >out 2>&1; echo $?; grep -c 'bad name' out
  125
  1

PID 1 reaps; orphans do not stay as zombies.

  $ sbx run --rm --init $SMALL sh -c '(sleep 0.1 &) ; sleep 0.4; ps -o stat | grep -c Z'
  0
  [exit 1]

--rm leaves nothing.

  $ find $HOME/.local/share/sbx/containers -mindepth 1 2>/dev/null
  $ find $XDG_RUNTIME_DIR -type s -o -type p
