The program itself: help, version, words that make no sense, and what it would do.
# needs: userns

  $ sbx --version
  sbx version [0-9]+\.[0-9]+\.[0-9]+ (re)
  $ sbx version
  sbx version [0-9]+\.[0-9]+\.[0-9]+ (re)
  $ sbx --help | head -n 1
  Usage: sbx [--root DIR] [--log-level LEVEL] VERB [OPTIONS]
  $ sbx >out 2>&1; echo $?; grep -c '^Usage' out
  125
  1
  $ sbx rnu host true
  sbx: 'rnu' is not a verb of sbx
    hint: did you mean 'run'?
  [exit 125]
  $ sbx --no-such run
  sbx: unknown option '--no-such'
    hint: see 'sbx --help'
  [exit 125]
  $ sbx run >out 2>&1; echo $?; grep -c IMAGE out
  125
  1
  $ sbx --log-level loud version
  sbx: 'loud' is not a log level
  [exit 125]

Doctor tells people and programs the same.

  $ sbx doctor | grep -c '^ok .*user namespaces'
  1
  $ sbx doctor --format json | python3 -c 'import json, sys; print(sorted(fact["id"] for fact in json.load(sys.stdin) if fact["essential"]))'
  ['fuse', 'kernel', 'store', 'userns']

--dry-run prints a plan, runs nothing and leaves nothing.

  $ sbx run --dry-run --rm --net none --read-only -e A=b host sh -c 'echo never' >plan
  $ python3 -c 'import json; json.load(open("plan"))' && grep -o -m 1 never plan
  never
  $ sbx run --dry-run no-such-image:1 true >out 2>&1; echo $?; grep -c no-such-image out
  125
  1
  $ find $HOME -path '*/containers/*'

Every option refuses a value that makes no sense, and names it.

  $ for words in '-v relative' '-v /a:relative' '-v /a:/b:bad' '--tmpfs relative' '--tmpfs /a:bad=1' '--net bad' '--userns bad' \
  >   '--security-opt bad' '--platform bad/bad/bad/bad' '-w relative' '--env-file absent' '--device /dev/null/x' '--init=bad' '--name a/b' '-e =x' \
  >   '--pull=bad' '--pull=always' '--pull=newer' '--tls-verify=perhaps'; do
  >   sbx run --rm $words host true >out 2>&1; code=$?
  >   grep -q '^sbx: ' out && [ $code -eq 125 ] || { echo "$words: $code"; cat out; }
  > done
  $ for words in '' 'a b' '--progress=bad x' '--tls-verify=perhaps x' '--platform=a/b/c/d x' '--authfile /absent localhost:1/x' 'BAD'; do
  >   sbx pull $words >out 2>&1; code=$?
  >   grep -q '^sbx: ' out && [ $code -eq 125 ] || { echo "$words: $code"; cat out; }
  > done
  $ sbx images --format bad >out 2>&1; echo $?; grep -c bad out
  125
  1
