A sandbox in a sandbox: with the devices handed in and nothing of /proc hidden, sbx runs in sbx.
# needs: userns fuse net
# timeout: 120

  $ NEST="sbx run --rm --device /dev/fuse --device /dev/net/tun --security-opt unmask=ALL -e SBX_ROOT=/tmp/inner host"
  $ $NEST $SBX run --rm --net host host echo inner
  inner
  $ $NEST $SBX run --rm --net none host sh -c 'echo x >/etc/inner && cat /etc/inner'
  x
  $ $NEST $SBX run --rm host sh -c 'ip -4 -o addr show eth0 | grep -o 10.0.2.100'
  10.0.2.100

Without them it says what is missing.

  $ sbx run --rm -e SBX_ROOT=/tmp/inner host $SBX run --rm host true >out 2>&1; echo $?; grep '^sbx: ' out | wc -l; grep -c -e /dev/fuse -e /proc out | awk '{ print ($1 > 0) }'
  125
  1
  1

Also when the new process has failed before its ids could be mapped.

  $ sbx run --rm -e SBX_ROOT=/tmp/inner host strace -o /dev/null -e trace=clone3 -e inject=clone3:delay_exit=50000 $SBX run --rm host true 2>&1 | grep -c 'cannot .*/dev/fuse\|cannot .*/dev/net/tun'
  1
