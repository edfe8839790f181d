Commands in a container that runs.
# needs: userns fuse net tool:umoci

  $ sbx load -q oci:$IMAGES/small:latest >/dev/null
  $ sbx run -d --name web -e COLOUR=red -w /tmp small sh -c 'echo "ann:x:7:8::/home/ann:/bin/sh" >>/etc/passwd; mkdir -p /home/ann; echo ready >/ready; sleep 1000' >/dev/null
  $ until sbx exec web cat /ready 2>/dev/null; do sleep 0.05; done
  ready

It has the container's files, processes, name, directory, environment and rights; its exit code is passed on.

  $ sbx exec web sh -c 'echo $COLOUR; pwd; [ $(hostname) = $HOSTNAME ] && echo named; cat /proc/1/comm; grep -c . /proc/net/route; exit 3'
  red
  /tmp
  named
  sbx: init
  \d+ (re)
  [exit 3]
  $ sbx exec web grep -E 'NoNewPrivs|CapBnd' /proc/self/status >inside; sbx run --rm small grep -E 'NoNewPrivs|CapBnd' /proc/self/status | diff - inside && echo same
  same
  $ for kind in user mnt pid net ipc uts cgroup; do [ $(sbx exec web readlink /proc/self/ns/$kind) = $(sbx exec web readlink /proc/2/ns/$kind) ] || echo $kind; done

Options: environment, directory, user by the container's own accounts, standard input, a terminal, the background.

  $ OURS=mine sbx exec -e COLOUR=blue -e OURS -w / web sh -c 'echo $COLOUR $OURS; pwd'
  blue mine
  /
  $ echo input | sbx exec -i web cat; echo input | sbx exec web cat
  input
  $ script -qec "sbx exec -t web sh -c 'tty; test -t 1 && echo terminal'" /dev/null </dev/null | tr -d '\r'
  /dev/pts/0
  terminal
  $ sbx exec -d web sh -c 'echo made >/made; sleep 1000'; until sbx exec web cat /made 2>/dev/null; do sleep 0.05; done
  made
  $ sbx exec web ps -o args 2>/dev/null | grep -c 'sleep 1000'
  \d+ (re)

What cannot be done says why.

  $ sbx exec web nonesuch
  sbx: cannot run 'nonesuch': command not found in the PATH of the image
  [exit 127]
  $ sbx exec web /etc
  sbx: cannot run '/etc': Permission denied
  [exit 126]
  $ sbx exec -w relative web true; sbx exec -u nobody-at-all web true
  sbx: cannot use the working directory 'relative': it is not an absolute path
  sbx: cannot find user 'nobody-at-all': the image's /etc/passwd does not have it
  [exit 125]
  $ sbx exec web sh -c 'kill -TERM $$'
  [exit 143]
  $ sbx exec nobody true 2>&1 | head -n 1; sbx create --name idle small true >/dev/null; sbx exec idle true; sbx rm idle
  sbx: cannot find container 'nobody': there is no such container
  sbx: cannot run a command in container '[0-9a-f]{12}': it is not running (re)
    hint: 'sbx start' runs it
  idle

Many at once, and the end of the container is the end of all.

  $ for i in $(seq 20); do sbx exec web sh -c "echo $i >>/many" & done; wait; sbx exec web wc -l /many | cut -d ' ' -f 1
  20
  $ sbx exec web sleep 1000 & sleep 0.3; sbx stop -t 0 web; wait $!; echo $?; sbx rm web
  web
  137
  web

A container of another kind: the command is PID 1, the network is the host's; one just started can be joined at once.

  $ sbx run -d --name bare --init=false --net host small sleep 1000 >/dev/null; sbx exec bare cat /proc/1/comm; sbx rm -f bare
  sleep
  bare
  $ for i in $(seq 10); do sbx run -d --rm --name quick$i small sleep 1000 >/dev/null; sbx exec quick$i echo $i; done | tail -n 1; sbx rm -fa | wc -l; sbx ps -aq
  10
  10
