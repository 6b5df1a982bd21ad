import type { Scenarios } from '../scenarios.ts'

export const tasksScenarios: Scenarios = {
  tasks: `
    ctr images pull --plain-http $BUSYBOX >pull 2>&1
    ctr containers create $BUSYBOX one sleep 1000
    ctr tasks start --detach --pid-file pid one
    test $(cat pid) = $(ctr tasks ls | sed -n 's/^one *\\([0-9]*\\) .*/\\1/p') && echo the same
    ctr tasks start --detach one
    ctr tasks start none
    ctr tasks start
    ctr tasks list | sed -E 's/ [0-9]+ +/ some /'
    ctr t ls -q
    ctr tasks ps one | wc -l
    ctr tasks ps none
    ctr tasks ps
    ctr tasks exec --exec-id e one echo hello
    ctr tasks exec --exec-id e --cwd /tmp --user 1:1 one sh -c 'pwd; id'
    ctr tasks exec --exec-id e one sh -c 'echo wrong >&2; exit 3'
    echo input | ctr tasks exec --exec-id e one head -n 1
    script -qec 'ctr tasks exec --exec-id e --tty one tty' /dev/null </dev/null | grep -v resize
    ctr tasks exec --exec-id e one none
    ctr tasks exec --exec-id e none true
    ctr tasks exec one true
    ctr tasks exec
    ctr tasks exec --exec-id e --detach --fifo-dir $PWD/fifo one sleep 1000
    ctr tasks exec --exec-id e --detach one sleep 1000
    ctr tasks exec --exec-id logged --detach --log-uri file://$PWD/log one echo logged
    patiently test -s log; cat log
    patiently ctr tasks delete --exec-id logged one 2>removed
    ctr tasks ps one | wc -l
    ctr tasks delete --exec-id e one
    ctr tasks kill --exec-id e --signal SIGKILL one
    ctr tasks kill --exec-id none one
    patiently ctr tasks delete --exec-id e one 2>removed
    ctr tasks delete --exec-id none one
    ctr tasks pause one
    status PAUSED
    ctr tasks exec --exec-id frozen one true
    ctr tasks resume one
    status RUNNING
    ctr tasks pause one; ctr tasks pause one
    ctr tasks resume one; ctr tasks resume one
    ctr tasks pause none
    ctr tasks resume none
    ctr tasks pause
    ctr tasks resume
    ctr tasks metrics one | sed 's/seconds.*//' | cut -d' ' -f1 | sort
    ctr tasks metrics --format json one | grep -o '"[a-z_]*": {'
    ctr tasks metrics --format nonsense one
    ctr tasks metric none
    ctr tasks metrics
    ctr containers delete one
    ctr tasks delete one
    ctr tasks kill --signal nonsense one
    ctr tasks kill -s 0 one
    ctr tasks kill none
    ctr tasks kill
    ctr tasks kill -a -s 9 one
    patiently status STOPPED
    ctr tasks kill -s 9 one
    ctr tasks ps one
    ctr tasks exec --exec-id late one true
    ctr tasks delete one
    ctr tasks delete one
    ctr tasks rm --force none
    ctr tasks rm
    ctr tasks start --null-io --detach one
    ctr tasks rm -f one
    ctr tasks start --log-uri file://$PWD/log2 --fifo-dir $PWD/fifo --no-pivot --detach one
    ctr tasks attach none
    ctr tasks attach
    ctr tasks rm --force one
    ctr containers rm one
    ctr containers create $BUSYBOX two sh -c 'echo out; echo err >&2; exit 5'
    ctr tasks start two
    ctr containers rm two
    ctr containers create $BUSYBOX four sh -c 'cat; exit 6'
    (echo input; patiently status RUNNING >running) | ctr tasks start four
    ctr containers rm four
    ctr containers create $BUSYBOX lacking none
    ctr tasks start lacking
    ctr containers rm lacking
    ctr images rm --sync $BUSYBOX`,
}
