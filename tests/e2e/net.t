A sandbox has an address of its own, reaches out, and is not reached.
# needs: userns fuse net tool:umoci tool:skopeo

  $ SMALL=oci:$IMAGES/small:latest
  $ sbx run --rm $SMALL sh -c 'ip -4 -o addr show | awk "{ print \$2, \$4 }"; ip route | cut -d" " -f1-3; ip link show | grep -o "mtu 65520"'
  lo 127.0.0.1/8
  eth0 10.0.2.100/24
  default via 10.0.2.2
  10.0.2.0/24 dev eth0
  mtu 65520
  $ sbx run --rm $SMALL sh -c 'ip -6 -o addr show dev eth0 | grep -c "fd00::"'
  1
  $ sbx run --rm $SMALL cat /etc/resolv.conf | grep nameserver | head -n 1
  nameserver 10.0.2.3

Without a network there is loopback alone, and it is up.

  $ sbx run --rm --net none $SMALL sh -c 'ip -o link | cut -d: -f2; (echo hi | nc -l -p 9 &); sleep 0.2; nc 127.0.0.1 9 </dev/null'
   lo
  hi

A server of the machine is reached by its address, not by its loopback, as long as nobody asks for that.

  $ cat >server.py <<'X'
  > import http.server, sys
  > class Quiet(http.server.SimpleHTTPRequestHandler):
  >     def log_message(self, *_): pass
  > server = http.server.HTTPServer(("0.0.0.0", 0), Quiet)
  > open("port", "w").write(str(server.server_port))
  > server.serve_forever()
  > X
  $ echo served >page; python3 server.py & pid=$!
  $ for i in $(seq 50); do [ -s port ] && break; sleep 0.1; done; port=$(cat port)
  $ get() { printf 'GET /page HTTP/1.0\r\n\r\n'; sleep 0.5; }
  $ ADDRESS=$(ip -4 route get 192.0.2.1 2>/dev/null | sed -n 's/.* src \([0-9.]*\).*/\1/p')
  $ get | sbx run --rm -i $SMALL nc -w 5 $ADDRESS $port | tail -n 1
  served
  $ get | sbx run --rm -i $SMALL nc -w 3 127.0.0.1 $port >out 2>&1; echo $?
  1
  $ get | sbx run --rm -i $SMALL nc -w 3 10.0.2.2 $port >out 2>&1; echo $?
  1
  $ get | sbx run --rm -i --net host $SMALL nc -w 5 127.0.0.1 $port | tail -n 1
  served
  $ kill $pid; wait $pid
  [exit 143]

Two sandboxes listen on the same port at the same time.

  $ serve='echo "$1" | nc -l -p 8080 & sleep 0.5; nc 127.0.0.1 8080 </dev/null'
  $ sbx run --rm $SMALL sh -c "$serve" x one >one & sbx run --rm $SMALL sh -c "$serve" x two >two; wait; cat one two
  one
  two
  $ sbx run --rm --net nowhere $SMALL true >out 2>&1; echo $?; grep -c nowhere out
  125
  1
