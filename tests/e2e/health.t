Health checks, by the container's supervisor.
# needs: userns fuse tool:umoci
# timeout: 120

  $ sbx load -q oci:$IMAGES/small:latest >/dev/null
  $ status() { sbx inspect -f '{{.State.Health.Status}}' "$1"; }; until_is() { for i in $(seq 200); do [ "$(status $1)" = $2 ] && return; sleep 0.05; done; echo "$1 is $(status $1)"; }
  $ sbx run -d --net none --name web --health-cmd 'echo checked; test -e /ok' --health-interval 100ms --health-retries 2 small sleep 1000 >/dev/null; status web; sbx ps --format '{{.Status}}' | sed 's/Up .* (/Up (/'
  starting
  Up (health: starting)
  $ until_is web unhealthy; sbx ps --format '{{.Status}}' | sed 's/Up .* (/Up (/'; sbx exec web touch /ok; until_is web healthy; sbx ps --format '{{.Status}}' | sed 's/Up .* (/Up (/'
  Up (unhealthy)
  Up (healthy)
  $ sbx inspect web | python3 -c 'import json, sys; h = json.load(sys.stdin)[0]["State"]["Health"]; print(len(h["Log"]) <= 5, h["Log"][-1]["ExitCode"], repr(h["Log"][-1]["Output"]), h["FailingStreak"], sorted(h["Log"][-1]))'
  True 0 'checked\n' 0 ['End', 'ExitCode', 'Output', 'Start']
  $ sbx inspect -f '{{json .Config.Healthcheck}}' web
  {"Interval":100000000,"Retries":2,"StartInterval":5000000000,"StartPeriod":0,"Test":["CMD-SHELL","echo checked; test -e /ok"],"Timeout":30000000000}

It goes with the container, and comes again with it; nothing of a check is left.

  $ sbx stop -t 0 web; sbx inspect -f '{{json .State}}' web | grep -c Health; sbx start web; until_is web healthy; sbx rm -f web
  web
  0
  web
  web

One that hangs is ended; failures at the start do not count; one that cannot be run fails.

  $ sbx run -d --net none --name hangs --health-cmd 'echo begun; sleep 1000' --health-interval 50ms --health-timeout 200ms --health-retries 1 small sleep 1000 >/dev/null; until_is hangs unhealthy; sbx inspect hangs | python3 -c 'import json, sys; print({(e["ExitCode"], e["Output"]) for e in json.load(sys.stdin)[0]["State"]["Health"]["Log"]})'
  {(-1, 'Health check exceeded timeout (200 ms)')}
  $ sbx exec hangs sh -c 'sleep 0.1; ls -d /proc/[0-9]* | wc -l' | awk '{print $1 < 12}'; sbx rm -f hangs
  1
  hangs
  $ sbx run -d --net none --name slow --health-cmd 'false' --health-interval 50ms --health-retries 1 --health-start-period 1000s --health-start-interval 50ms small sleep 1000 >/dev/null; sleep 0.5; status slow; sbx rm -f slow
  starting
  slow

What the image says, without it, and what is refused.

  $ sbx run -d --net none --name plain --no-healthcheck small sleep 1000 >/dev/null; sbx inspect -f '{{json .State}}' plain | grep -c Health; sbx rm -f plain
  0
  plain
  $ sbx run --health-interval soon small true; sbx run --health-retries x small true; sbx run --no-healthcheck --health-cmd true small true
  sbx: --health-interval 'soon' is no duration
    hint: 30s, 1m30s, 500ms
  sbx: --health-retries 'x' is no number
  sbx: --no-healthcheck and --health-... do not go together
  [exit 125]
