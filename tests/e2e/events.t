What happens, told by whoever does it.
# needs: userns fuse net tool:umoci
# timeout: 120

  $ sbx load -q oci:$IMAGES/small:latest >/dev/null
  $ sleep 1; begin=$(date +%s); actions() { sbx events --since $begin --until $(date +%s) --format '{{.Type}} {{.Action}}' "$@"; }

A life, and one that is over at once.

  $ id=$(sbx run -d --name web --label tier=front small sh -c 'trap "exit 4" TERM; while true; do sleep 0.05; done'); sbx exec web true; sbx pause web; sbx unpause web; sbx rename web site; sbx stop site; sbx rm site
  web
  web
  site
  site
  $ sleep 1; actions --filter container=$id
  container create
  container start
  container exec_start: true
  container exec_die
  container pause
  container unpause
  container rename
  container kill
  container die
  container stop
  container destroy
  $ sbx run --rm --name brief small true; sleep 1; actions --filter container=brief
  container create
  container start
  container die
  container destroy

Docker's line and JSON; filters.

  $ sbx events --since $begin --until $(date +%s) --filter container=site --filter event=die | sed "s/$id/ID/"
  \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z container die ID \(execDuration=\d+, exitCode=4, image=small, name=site, org.example.kind=small, tier=front\) (re)
  $ sbx events --since $begin --until $(date +%s) --filter event=create --filter label=tier=front --format json | sed "s/$id/ID/g"
  {"Action":"create","Actor":{"Attributes":{"image":"small","name":"web","org.example.kind":"small","tier":"front"},"ID":"ID"},"Type":"container","from":"small","id":"ID","scope":"local","status":"create","time":\d+,"timeNano":\d+} (re)
  $ actions --filter event=create --filter event=rename; actions --filter type=image; actions --filter container=nobody
  container create
  container rename
  container create
  $ sbx events --filter colour=red; sbx events --since yesterday; sbx events --until 1s --format '{{.Colour}}'
  sbx: cannot filter events by 'colour=red': there is no such filter
    hint: type=, event=, container=, image= and label= are there
  sbx: cannot use time 'yesterday': it is neither a duration (36h) nor a time (2024-01-02T03:04:05Z)
  sbx: cannot format output by 'Colour': there is no such field
  [exit 125]

Images.

  $ sbx tag small other; sbx untag small small:latest >/dev/null; sbx rmi other >/dev/null; sleep 1; sbx events --until $(date +%s) --filter type=image --since $begin --format '{{.Action}} {{.Name}}'
  tag other:latest
  untag small:latest
  untag other:latest
  delete sha256:[0-9a-f]{64} (re)

Followed while it happens; a directory that cannot be written keeps nobody from working.

  $ sbx load -q oci:$IMAGES/small:latest >/dev/null; (timeout 20 sbx events --format '{{.Action}} {{.Name}}' >followed & echo $! >pid); until [ -s followed ]; do sbx create --name seen small true >/dev/null; sbx rm seen >/dev/null; done; kill $(cat pid); head -n 1 followed
  (create|destroy) seen (re)
  $ rm -rf $HOME/.local/share/sbx/events; touch $HOME/.local/share/sbx/events; sbx run --rm small echo works
  works
