Commands in a container as other users, by its accounts as they are now.
# needs: userns fuse net ids:full tool:umoci

  $ sbx load -q oci:$IMAGES/small:latest >/dev/null
  $ sbx run -d --name web small sh -c 'echo "ann:x:7:8::/home/ann:/bin/sh" >>/etc/passwd; echo "crew:x:9:ann" >>/etc/group; echo ready >/ready; sleep 1000' >/dev/null
  $ until sbx exec web cat /ready 2>/dev/null; do sleep 0.05; done
  ready
  $ sbx exec -u ann web sh -c 'id -u; id -g; id -G; echo $HOME'
  7
  8
  8 9
  /home/ann
  $ sbx exec -u ann:crew web sh -c 'id -u; id -G'; sbx exec -u 12 web id -u
  7
  9
  12
  $ sbx exec -u ann web grep CapEff /proc/self/status; sbx exec -u ann web sh -c 'echo x >/etc/passwd' 2>&1 | sed 's/.*: //'
  CapEff:\s+0000000000000000 (re)
  Permission denied
  $ sbx exec -u 3000000 web true
  sbx: cannot become user '3000000:0': this id is not mapped into the container
  [exit 125]
  $ sbx rm -f web
  web
