What runs in a container: listed, measured, paused.
# needs: userns fuse net tool:umoci
# timeout: 150

  $ sbx load -q oci:$IMAGES/small:latest >/dev/null
  $ id=$(sbx run -d --name web small sh -c 'sleep 1000 & n=0; while true; do n=$((n+1)); echo $n >/count; sleep 0.05; done')
  $ until sbx exec web test -s /count; do sleep 0.05; done

Docker's columns by default, with the host's numbers; podman's descriptors, with those of the inside.

  $ sbx top web >out; head -n 1 out; grep -c ' sleep 1000$' out; grep -c 'sbx: init' out
  UID +PID +PPID +C +STIME +TTY +TIME +CMD (re)
  1
  0
  [exit 1]
  $ pid=$(awk '/sleep 1000$/ { print $2 }' out); tr '\0' ' ' </proc/$pid/cmdline; echo; [ $(awk '/sleep 1000$/ { print $1 }' out) = $(id -u) ] && echo mine
  sleep 1000 
  mine
  $ sbx top web pid,user,args | grep ' 1000$'; sbx top -l ppid comm hpid | grep -c "$pid"
  [0-9]+ +root +sleep 1000 (re)
  1
  $ sbx exec -d web sleep 2000; until sbx top web args | grep 2000; do sleep 0.05; done
  sleep 2000
  $ sbx top web -ef; sbx top web pid,colour; sbx top nobody; sbx top
  sbx: cannot list processes by '-ef': sbx runs no ps, and takes no options of it
    hint: the descriptors are args comm etime group hgroup hgroups hpid huser nice pcpu pgid pid ppid rgroup rss ruser seccomp state stime time tty user vsz
  sbx: cannot list processes by 'pid,colour': there is no such descriptor
    hint: the descriptors are args comm etime group hgroup hgroups hpid huser nice pcpu pgid pid ppid rgroup rss ruser seccomp state stime time tty user vsz
  sbx: cannot find container 'nobody': there is no such container
    hint: 'sbx ps --all' lists the containers
  sbx: a container has to be named
    hint: or --latest
  [exit 125]

What it uses.

  $ sbx stats --no-stream
  CONTAINER ID +NAME +CPU % +MEM USAGE / LIMIT +MEM % +NET I/O +BLOCK I/O +PIDS (re)
  [0-9a-f]{12} +web +[0-9.]+% +[0-9.]+[KM]iB / [0-9.]+GiB +[0-9.]+% +\S+ / \S+ +\S+ / \S+ +[345] (re)
  $ sbx run -d --name busy small sh -c 'while true; do :; done' >/dev/null; sleep 0.3; sbx stats --no-stream --format '{{.CPUPerc}}' busy | awk '{ print ($1 + 0 > 5) ? "busy" : $1 }'; sbx rm -f busy
  busy
  busy
  $ sbx stats --no-stream --format json web | grep -o '"[A-Za-z]*": ' | tr -d '\n'; echo
  "BlockIO": "CPUPerc": "Container": "ID": "MemPerc": "MemUsage": "Name": "NetIO": "PIDs": 
  $ timeout 3 sbx stats --no-reset --format '{{.Name}}' web | head -n 2
  web
  web
  $ sbx create --name idle small true >/dev/null; sbx stats --no-stream --format '{{.Name}}'; sbx stats --no-stream -a --format '{{.Name}} {{.PIDs}}' | sort | sed 's/web .*/web/'; sbx rm idle
  web
  idle 0
  web
  idle
  $ sbx stats --no-stream --all web; sbx stats --interval x; sbx stats --no-stream --format '{{.Colour}}'
  sbx: --all, --latest and names of containers do not go together
  sbx: --interval 'x' is no number of seconds
  sbx: there is no field '.Colour'
    hint: the fields are .BlockIO .CPUPerc .Container .ID .MemPerc .MemUsage .Name .NetIO .PIDs
  [exit 125]

Paused: nothing of it goes on, also what exec put there; shown; nothing can be run in it.

  $ sbx pause web; sbx top web state | sort -u; sbx ps --format '{{.State}} {{.Status}}'; sbx ps -q --filter status=running; sbx inspect --format '{{.State.Paused}} {{.State.Status}}' web
  web
  STATE
  T
  paused Up .* \(Paused\) (re)
  true paused
  $ pid=$(sbx inspect --format '{{.State.Pid}}' web); ticks() { for one in $(sbx top web hpid | tail -n +2); do awk '{ print $14 + $15 }' /proc/$one/stat; done; }; before=$(ticks); sleep 0.5; [ "$before" = "$(ticks)" ] && echo still
  still
  $ sbx exec web true; sbx pause web; sbx unpause nobody
  sbx: cannot run a command in container '[0-9a-f]{12}': it is paused (re)
    hint: 'sbx unpause' lets it go on
  sbx: cannot pause container '[0-9a-f]{12}': it is paused already (re)
  sbx: cannot find container 'nobody': there is no such container
    hint: 'sbx ps --all' lists the containers
  [exit 125]
  $ sbx unpause --all | sed "s/$id/ID/"; sbx unpause web; a=$(sbx exec web cat /count); sleep 0.3; b=$(sbx exec web cat /count); [ "$a" != "$b" ] && echo goes on
  ID
  sbx: cannot unpause container '[0-9a-f]{12}': it is not paused (re)
  goes on

Ended while it is paused: by its stop signal, which it may act on; by SIGKILL; removed.

  $ sbx run -d --name polite small sh -c 'trap "echo bye; exit 4" TERM; while true; do sleep 0.05; done' >/dev/null; sleep 0.3; sbx pause polite; sbx stop -t 5 polite; sbx wait polite; sbx logs polite; sbx ps -a --filter name=polite --format '{{.State}}'
  polite
  polite
  4
  bye
  exited
  $ sbx start polite; sleep 0.3; sbx pause polite; sbx kill polite; sbx wait polite; sbx pause polite; sbx unpause polite
  polite
  polite
  polite
  137
  sbx: cannot pause container '[0-9a-f]{12}': it is not running (re)
  sbx: cannot unpause container '[0-9a-f]{12}': it is not running (re)
  [exit 125]
  $ sbx start polite; sleep 0.2; sbx ps --filter name=polite --format '{{.State}}'; sbx pause -l; sbx rm -f polite
  polite
  running
  [0-9a-f]{64} (re)
  polite

A command that is PID 1 itself; a fork bomb that is caught in the middle.

  $ sbx run -d --name first --init=false small sh -c 'while true; do sleep 0.05; done' >/dev/null; sleep 0.2; sbx pause first; sbx top first state | sort -u; sbx unpause first; sbx rm -f first
  first
  STATE
  T
  first
  first
  $ sbx run -d --name many small sh -c 'for i in $(seq 20); do (while true; do true | true; done) & done; wait' >/dev/null; sleep 0.5; sbx pause many; sbx top many state | sort -u | tr -d 'Z\n'; echo; sbx rm -f many
  many
  STATET
  many
  $ sbx rm -f web
  web
