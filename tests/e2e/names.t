Names of containers: made up, found, mistyped, changed; the latest one.
# needs: userns fuse net tool:umoci
# timeout: 120

  $ sbx load -q oci:$IMAGES/small:latest >/dev/null

Who gives no name gets one, in the foreground too.

  $ sbx create small true >created; sbx run small true; sbx ps -a --format '{{.Names}}'
  [a-z]+_[a-z]+ (re)
  [a-z]+_[a-z]+ (re)
  $ name=$(sbx ps -a --format '{{.Names}}' | tail -n 1); sbx start $name; sbx wait $name; sbx rm $name; ls $HOME/.local/share/sbx/names
  [a-z]+_[a-z]+ (re)
  0
  [a-z]+_[a-z]+ (re)
  [a-z]+_[a-z]+ (re)
  $ sbx rm --latest | tr -d '0-9a-f' | wc -c; ls $HOME/.local/share/sbx/names
  1

A name that is nearly one, and one that is nobody's.

  $ sbx create --name web small true >/dev/null; sbx start wbe; sbx logs database
  sbx: cannot find container 'wbe': there is no such container
    hint: did you mean 'web'?
  sbx: cannot find container 'database': there is no such container
    hint: 'sbx ps --all' lists the containers
  [exit 125]
  $ sbx rm ../names/web; sbx rm ''
  sbx: cannot find container '../names/web': there is no such container
    hint: 'sbx ps --all' lists the containers
  sbx: cannot find container: there is no such container
    hint: 'sbx ps --all' lists the containers
  [exit 125]

The latest is the one that was made last, whether it runs or not.

  $ id=$(sbx run -d --name last small sh -c 'echo heard; sleep 100'); sbx exec --latest echo inside; sbx exec -l
  inside
  sbx: a container and a command have to be named
    hint: see 'sbx exec --help'
  [exit 125]
  $ until sbx logs -l | grep heard; do sleep 0.05; done; sbx kill -l | sed "s/$id/ID/"; sbx wait -l; sbx start -l | sed "s/$id/ID/"; sbx stop -l -t 0 | sed "s/$id/ID/"
  heard
  ID
  137
  ID
  ID
  $ sbx rm -l web; sbx logs -l web; sbx stop; sbx start; sbx logs
  sbx: names of containers do not go together with --all or --latest, nor these with each other
  sbx: --latest and the name of a container do not go together
  sbx: a container has to be named
    hint: or --all or --latest
  sbx: a container has to be named
    hint: or --all or --latest
  sbx: a container has to be named
    hint: or --latest
  [exit 125]
  $ sbx rm web last; sbx rm -l
  web
  last
  sbx: there is no container
  [exit 125]

Renamed while it runs: found by its new name at once, also after its end; the old name is free.

  $ id=$(sbx run -d --name before --label tier=front small sh -c 'sleep 100'); sbx rename before after; sbx exec after echo inside; sbx rename after after; sbx rename before x
  inside
  sbx: cannot rename container 'after': it has that name already
  sbx: cannot find container 'before': there is no such container
    hint: 'sbx ps --all' lists the containers
  [exit 125]
  $ sbx create --name before small true >/dev/null; sbx rename after before; sbx rename after a/b; sbx rename after
  sbx: cannot name the container 'before': another container has this name
    hint: take another name, or remove that container: sbx rm before
  sbx: cannot use the name 'a/b': names are [a-zA-Z0-9][a-zA-Z0-9_.-]*, at most 128 characters
  sbx: NEW-NAME is required
    hint: see 'sbx rename --help'
  [exit 125]
  $ sbx stop -t 0 after; sbx ps -a --format '{{.Names}} {{.State}}'; sbx start after; sbx rename after last; sbx restart -t 0 last; sbx ps --format '{{.Names}}'; ls $HOME/.local/share/sbx/names
  after
  before created
  after exited
  after
  last
  last
  before
  last

Listing: docker's columns, the last ones, filters.

  $ sbx ps -a
  CONTAINER ID +IMAGE +COMMAND +CREATED +STATUS +PORTS +NAMES (re)
  [0-9a-f]{12} +small +"true" +.* ago +Created +before (re)
  [0-9a-f]{12} +small +"sh -c sleep 100" +.* ago +Up .* +last (re)
  $ sbx ps -l --format '{{.Names}}'; sbx ps -n 2 --format '{{.Names}}'; sbx ps -n 1 -q | wc -c; sbx ps -n 0; sbx ps -n 1 -l
  before
  before
  last
  13
  sbx: --last '0' is no number of containers
  sbx: --last and --latest do not go together
  [exit 125]
  $ list() { echo $(sbx ps -a --format '{{.Names}}' "$@"); }; list -f name='^l'; list -f label=tier=front; list -f label!=tier; list -f status=created; list -f ancestor=small; list -f since=last; list -f before=before; list -f volume=/none; list -f health=none -f name=before
  last
  last
  before
  before
  before last
  before
  last
  
  before
  $ sbx ps --filter colour=red; sbx ps --filter status=up
  sbx: cannot filter containers by 'colour=red': there is no such filter
    hint: id, name, label, exited, status, ancestor, before, since, until, volume and health are there
  sbx: cannot filter containers by 'status=up': it is one of created, restarting, running, removing, paused, exited, dead
  [exit 125]
  $ sbx ps --format '{{.Labels}}{{.Ports}}'; sbx port last; sbx port last 80; sbx port -l 53/udp; sbx port last http; sbx port --all; sbx port nobody 80
  org.example.kind=small,tier=front
  sbx: no public port '80/tcp' published for last
  sbx: no public port '53/udp' published for before
  sbx: 'http' is no port
    hint: 80, 80/tcp or 80/udp
  sbx: cannot find container 'nobody': there is no such container
    hint: 'sbx ps --all' lists the containers
  [exit 125]

The group of docker's second spelling; what does not run goes, as far as the filters say.

  $ sbx container ls --format '{{.Names}}'; sbx container run --rm small echo out; sbx container exec last echo in; sbx container dance
  last
  out
  in
  sbx: 'dance' is not an action of container
    hint: see 'sbx container --help'
  [exit 125]
  $ sbx container prune -f --filter label=tier; sbx container prune -f --filter until=24h; sbx container prune --filter colour=red -f
  Total reclaimed space: 0B
  Total reclaimed space: 0B
  sbx: cannot prune by 'colour=red': only until=TIME, label=NAME and label!=NAME choose here
  [exit 125]
  $ sbx container prune </dev/null; sbx container prune --force | sed 's/[0-9.]*kB/SIZE/'; sbx ps -a --format '{{.Names}}'
  WARNING! This will remove:
    - all containers that are not running
  Are you sure you want to continue? [y/N] 
  Deleted Containers:
  [0-9a-f]{64} (re)
  
  Total reclaimed space: SIZE
  last

An image that a container uses: refused by name and by id; with --force its name goes while one runs, and all of it once none runs.

  $ sbx rmi small; sbx rmi -f $(sbx images -q)
  sbx: cannot remove image '[0-9a-f]{12}': container 'last' \([0-9a-f]{12}\) runs from it (re)
    hint: 'sbx stop' and 'sbx rm' end and remove it
  sbx: cannot remove image '[0-9a-f]{12}': container 'last' \([0-9a-f]{12}\) runs from it (re)
    hint: 'sbx stop' and 'sbx rm' end and remove it
  [exit 125]
  $ sbx tag small other; sbx rmi small; sbx rmi -f other; sbx images -q | wc -l; sbx stop -t 0 last; sbx rmi $(sbx images -q)
  Untagged: small:latest
  Untagged: other:latest
  1
  last
  sbx: cannot remove image '[0-9a-f]{12}': container 'last' \([0-9a-f]{12}\) uses it (re)
    hint: 'sbx rm' removes the container; --force the image all the same
  [exit 125]
  $ sbx rmi -f $(sbx images -q); sbx images -q; sbx rm last
  Deleted: sha256:[0-9a-f]{64} (re)
  last

The machine and the store, with docker's names and podman's.

  $ sbx info | head -n 5
  Containers: 0
   Running: 0
   Paused: 0
   Stopped: 0
  Images: 0
  $ sbx info --format '{{.Containers}} {{.ContainersRunning}} {{.host.kernel}} {{.store.containerStore.number}} {{.host.security.rootless}}' | sed "s/$(uname -r)/KERNEL/"; sbx info --format json | grep -c '"graphRoot"'; sbx info --format '{{.Colour}}'
  0 0 KERNEL 0 true
  1
  sbx: cannot format output by 'Colour': there is no such field
  [exit 125]
