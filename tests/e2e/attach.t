Watching a container in the background, and writing to it; containers that run again by themselves.
# needs: userns fuse tool:umoci
# timeout: 120

  $ sbx load -q oci:$IMAGES/small:latest >/dev/null
  $ sbx create --net none --name once -i small cat >/dev/null; echo hello | sbx start --attach --interactive once; echo again | sbx start -i once
  hello
  again
  $ sbx create --net none --name three small sh -c 'echo out; echo err >&2; exit 3' >/dev/null; sbx start -a three 2>err; echo "code $?"; cat err
  out
  code 3
  err
  $ sbx create --rm --net none --name gone small sh -c 'echo once; exit 4' >/dev/null; sbx start -a gone; echo "code $?"; sbx ps -aq --filter name=gone
  once
  code 4
  $ sbx run -d --net none --name asks -i small sh -c 'while read x; do echo "got $x"; done; echo end' >/dev/null
  $ (echo one; sleep 0.2; echo two; sleep 0.5) | timeout 2 sbx attach --sig-proxy=false asks; sbx logs asks; sbx ps --format '{{.Names}} {{.State}}'
  got one
  got two
  got one
  got two
  asks running

Two at once both see all of it, more than a pipe or a socket holds; a signal goes to the command.

  $ sbx run -d --net none --name much small sh -c 'until [ -e /go ]; do sleep 0.02; done; head -c 3000000 /dev/zero; exit 9' >/dev/null
  $ (sbx attach --no-stdin much | wc -c; echo "code ${PIPESTATUS[0]}") >first & (sbx attach --no-stdin much | (sleep 0.5; wc -c)) >second & sleep 0.3; sbx exec much touch /go; wait; cat first second; sbx wait much
  3000000
  code 9
  3000000
  9
  $ sbx run -d --net none --name traps small sh -c 'trap "echo bye; exit 6" USR1; echo up; while :; do sleep 0.05; done' >/dev/null; until sbx logs traps | grep -q up; do sleep 0.05; done
  $ sbx attach traps </dev/null >said & pid=$!; sleep 0.3; kill -USR1 $pid; wait $pid; echo "code $?"; cat said
  code 6
  bye
  $ sbx attach --sig-proxy=false asks </dev/null & pid=$!; sleep 0.3; kill -TERM $pid; wait $pid; echo "code $?"; sbx ps --format '{{.Names}}'
  code 0
  asks

What cannot be.

  $ sbx attach three; sbx attach --detach-keys ctrl-P asks; sbx start -a asks once; sbx start --all --filter name=x; sbx start
  sbx: cannot attach to container '............': it is not running (re)
    hint: 'sbx start --attach' runs it
  sbx: cannot use the detach keys 'ctrl-P': a key is a character, or 'ctrl-' and one of a-z @ [ \ ] ^ _
    hint: --detach-keys ctrl-p,ctrl-q
  sbx: --attach and --interactive are for one container
  sbx: --filter 'name=x' is not supported
    hint: restart-policy=always and the other policies are
  sbx: a container has to be named
    hint: or --all or --latest
  [exit 125]
  $ sbx rm -f asks much traps once three >/dev/null

Restart policies.

  $ sbx run -d --net none --name fails --restart on-failure:2 small sh -c 'echo run; exit 5' >/dev/null; sbx wait fails; sbx logs fails; sbx inspect -f '{{.RestartCount}} {{.State.Status}} {{json .HostConfig.RestartPolicy}}' fails
  5
  run
  run
  run
  2 exited {"MaximumRetryCount":2,"Name":"on-failure"}
  $ sbx run -d --net none --name works --restart on-failure small true >/dev/null; sbx wait works; sbx inspect -f '{{.RestartCount}}' works
  0
  0
  $ sbx run -d --net none --name always --restart always small sh -c 'echo run' >/dev/null; until [ $(sbx logs always | wc -l) -ge 4 ]; do sleep 0.05; done; until sbx ps --format '{{.Names}} {{.Status}}' | grep Restarting; do sleep 0.05; done; sbx stop always; sbx ps --format '{{.Names}}'
  always Restarting \(0\) .* (re)
  always
  $ sbx run -d --net none --name killed --restart unless-stopped small sleep 100 >/dev/null; pid=$(sbx inspect -f '{{.State.Pid}}' killed); kill -9 $pid; until [ $(sbx inspect -f '{{.RestartCount}} {{.State.Status}}' killed | tr ' ' -) = 1-running ]; do sleep 0.05; done; sbx exec killed true; sbx kill killed; sbx wait killed; sbx inspect -f '{{.State.Status}}' killed
  killed
  137
  exited
  $ sbx start --all --filter restart-policy=always --filter restart-policy=unless-stopped >started; sbx inspect -f '{{.Name}}' $(cat started); sbx rm -f always; sbx start killed; sbx wait --condition next-exit killed & sleep 0.2; sbx kill killed; wait
  /always
  always
  killed
  killed
  137
  $ sbx run --net none --name here --restart on-failure:1 small sh -c 'echo here; exit 2'; sbx inspect -f '{{.RestartCount}}' here
  here
  here
  1
  $ sbx run --rm --restart always small true; sbx run --restart sometimes small true
  sbx: --rm and --restart do not go together
  sbx: --restart 'sometimes' is not supported
    hint: no, on-failure[:N], always and unless-stopped are
  [exit 125]
  $ sbx run -d --net none --name doomed small sleep 100 >/dev/null; (sbx wait --condition removed doomed; echo removed) >waited & sleep 0.2; sbx rm -f doomed; wait; cat waited; sbx rm fails works killed here
  doomed
  137
  removed
  fails
  works
  killed
  here
