POSIX ACLs, where they are asked for: as on another file system of the same sandbox.
# needs: userns fuse ids:full tool:setfacl

  $ cat >acls.sh <<'END'
  > cd $1; umask 027; as() { setpriv --reuid $1 --regid $1 --clear-groups sh -c "$2" 2>&1 | sed 's/.*: //'; }
  > echo text >f; setfacl -m u:33:rw,u:34:r,g:44:- f; chmod 640 f; chmod 755 .; getfacl -n f
  > as 33 'cat f; echo more >>f'; chmod 660 f; as 33 'echo more >>f'; as 34 'cat f; echo no >>f'; as 44 'cat f'; as 35 'cat f'; getfacl -n f
  > mkdir d; setfacl -dm u:33:rwX,g::-,o::- d; touch d/new; mkdir d/sub; (umask 0; touch d/sub/deep); cp -a f d; getfacl -nR d | grep . | sort
  > setfacl -b f; setfacl -k d; touch d/plain; getfacl -n f d d/plain; chown 33:44 f; chmod 2770 f; as 33 'setfacl -m u:1:r f'; stat -c %A f
  > END
  $ sbx run --rm --acl --net none --overlay=fuse host sh -c "mkdir /var/a /dev/shm/a; for at in /var/a /dev/shm/a; do bash $PWD/acls.sh \$at 2>&1 >$PWD/said\$(dirname \$at | tr / -); done; cd $PWD; diff said-var said-dev-shm && grep -c user:33:rw said-var"
  8

Else they are refused.

  $ sbx run --rm --net none --overlay=fuse host setfacl -m u:33:r /etc/passwd
  setfacl: /etc/passwd: Operation not supported
  [exit 1]
