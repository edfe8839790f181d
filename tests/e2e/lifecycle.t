The life of containers: in the background, listed, logged, stopped, started again, removed.
# needs: userns fuse net tool:umoci
# timeout: 120

  $ sbx load -q oci:$IMAGES/small:latest >/dev/null
  $ id=$(sbx run -d --name web small sh -c 'echo out; echo err >&2; trap "echo bye; exit 4" TERM; while true; do sleep 0.1; done')
  $ echo ${#id}; sbx ps --no-trunc --format '{{.ID}} {{.Names}} {{.State}}' | sed "s/$id/ID/"
  64
  ID web running
  $ sbx ps
  CONTAINER ID +IMAGE +COMMAND +CREATED +STATUS +PORTS +NAMES (re)
  [0-9a-f]{12} +small +"sh -c echo out; ech…" +.*ago +Up .* +web (re)

What it writes, each stream to its own.

  $ until sbx logs web 2>/dev/null | grep -q out; do sleep 0.05; done; sbx logs web 2>/dev/null; sbx logs web 2>&1 >/dev/null
  out
  err
  $ sbx logs --tail 0 web; sbx logs --since 1h web 2>/dev/null; sbx logs --until 1h web; sbx logs -t web 2>/dev/null
  out
  \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z out (re)
  $ sbx logs --tail some web; sbx logs --since yesterday web
  sbx: --tail 'some' is neither a number of lines nor 'all'
  sbx: cannot use time 'yesterday': it is neither a duration (36h) nor a time (2024-01-02T03:04:05Z)
  [exit 125]

A name is taken while its container is there; one that runs is not removed by accident; starting it again does nothing.

  $ sbx run -d --name web small true 2>&1 | head -n 1; sbx rm web; sbx start web
  sbx: cannot name the container 'web': another container has this name
  sbx: cannot remove container '[0-9a-f]{12}': it is running (re)
    hint: stop it before, or use --force
  web

Stopped by its own signal, its code is kept; started again, it goes on with the same files and the same log.

  $ sbx logs -f web >followed 2>/dev/null & sleep 0.2; sbx stop web; wait; tail -n 1 followed; sbx wait web
  web
  bye
  4
  $ sbx ps -q; sbx ps -a --format '{{.Status}} {{.ExitCode}}'
  Exited \(4\) .* ago 4 (re)
  $ sbx stop web; sbx kill web
  web
  sbx: cannot send a signal to container '[0-9a-f]{12}': it is not running (re)
  [exit 125]
  $ sbx start $(echo $id | cut -c1-8) | wc -c; sbx kill -s SIGKILL web; sbx wait $id; sbx ps -a --filter exited=137 --format '{{.Names}}'
  9
  web
  137
  web
  $ sbx kill -s nonsense web; sbx rm web; sbx ps -aq
  sbx: cannot use signal 'nonsense': there is no such signal
    hint: a name as SIGTERM or TERM, or a number
  web

SIGKILL comes after the time that was given; a stop signal of its own.

  $ sbx run -d --name deaf small sh -c 'trap "" TERM; while true; do sleep 0.1; done' >/dev/null; sleep 0.3; sbx stop -t 1 deaf; sbx wait deaf; sbx rm deaf
  deaf
  137
  deaf
  $ sbx run -d --name own --stop-signal USR1 small sh -c 'trap "exit 5" USR1; while true; do sleep 0.1; done' >/dev/null; sleep 0.3; sbx stop own; sbx wait own; sbx rm own
  own
  5
  own

Restarted: ended and run again, also one that had ended.

  $ counted() { until sbx logs again | grep -q $1; do sleep 0.05; done; }
  $ sbx run -d --name again small sh -c 'echo x >>/count; wc -l </count; sleep 1000' >/dev/null; counted 1; sbx restart -t 0 again
  again
  $ counted 2; sbx stop -t 0 again; sbx restart again; counted 3; sbx ps --format '{{.Names}} {{.State}}'; sbx rm -f again
  again
  again
  again running
  again

Created first, run later, more than once, with what it wrote before; environment and command are those of its making.

  $ export SECRET=one; sbx create --name twice -e SECRET small sh -c 'echo $SECRET; echo x >>/count; wc -l </count; exit $(wc -l </count)' >created; export SECRET=two
  $ sbx ps -a --format '{{.Names}} {{.Status}}'; for i in 1 2 3; do sbx start twice >/dev/null; sbx wait twice; done; sbx logs twice
  twice Created
  1
  2
  3
  one
  1
  one
  2
  one
  3
  $ sbx tag small other; sbx start other; sbx rm $(cat created) twice
  sbx: cannot find container 'other': there is no such container
    hint: 'sbx ps --all' lists the containers
  [0-9a-f]{64} (re)
  sbx: cannot find container 'twice': there is no such container
    hint: 'sbx ps --all' lists the containers
  [exit 125]

Gone with its end: the code can still be waited for. What cannot be started tells so at once, and leaves nothing but its state.

  $ id=$(sbx run -d --rm small sh -c 'sleep 0.5; exit 9'); sbx wait $id; until [ -z "$(sbx ps -aq)" ]; do sleep 0.05; done; ls $HOME/.local/share/sbx/containers
  9
  $ sbx run -d --rm small nonesuch; sbx ps -aq
  sbx: cannot run 'nonesuch': command not found in the PATH of the image
  $ sbx create --rm --name later small true >/dev/null; sbx run --rm small true; sbx ps -a --format '{{.Names}}'; sbx start later; sleep 0.5; sbx ps -aq
  later
  later
  $ sbx rm -f nobody; sbx rm nobody
  sbx: cannot find container 'nobody': there is no such container
    hint: 'sbx ps --all' lists the containers
  [exit 125]

The log is cut into files; a container without one says so; its id in a file.

  $ id=$(sbx run -d --log-opt max-size=1k --log-opt max-file=2 --cidfile cid small sh -c 'for i in $(seq 100); do echo line $i; done'); sbx wait $id; [ $id = $(cat cid) ]; echo $?
  0
  0
  $ ls $HOME/.local/share/sbx/containers/$id/log | wc -l; sbx logs $id | tail -n 1; sbx logs --tail 2 $id
  2
  line 100
  line 99
  line 100
  $ sbx run -d --cidfile cid small true 2>&1 | head -n 1; sbx ps -aq | wc -l; sbx rm $id >/dev/null
  sbx: cannot open 'cid': File exists
  1
  $ id=$(sbx run -d --log-driver none small echo unheard); sbx wait $id; sbx logs $id; sbx rm $id >/dev/null
  0
  sbx: cannot show the log of '[0-9a-f]{12}': its output was not kept (re)
    hint: run it with --detach, and not with --log-driver=none
  $ sbx run -d --log-driver syslog small true; sbx run -d --log-opt max-file=3 small true; sbx run -d --log-opt tag=x small true; sbx run -d --stop-signal FOO small true 2>&1 | head -n 1
  sbx: --log-driver 'syslog' is not supported
    hint: json-file and none are
  sbx: --log-opt max-file goes with max-size
  sbx: --log-opt 'tag=x' is not supported
    hint: max-size= and max-file= are
  sbx: cannot use signal 'FOO': there is no such signal

All processes of one killed at once: the next command sees it, and it can be started again.

  $ id=$(sbx run -d --name lost small sh -c 'echo run >>/runs; wc -l </runs; sleep 100'); sleep 0.3
  $ kill -9 $(sed 's/.*"monitor":{"pid":\([0-9]*\).*/\1/' $HOME/.local/share/sbx/containers/$id/state.json); until sbx ps -a | grep -q Exited; do sleep 0.05; done; sbx wait lost
  255
  $ sbx start lost; sleep 0.3; sbx logs --tail 1 lost; sbx rm -f lost; sbx ps -aq
  lost
  2
  lost

Many at once.

  $ for i in $(seq 20); do sbx run -d --name many$i small sleep 100 >/dev/null & done; wait; sbx ps -q | wc -l; sbx stop -t 0 --all | wc -l; sbx rm --all | wc -l; sbx ps -aq; ls $HOME/.local/share/sbx/names
  20
  20
  20
