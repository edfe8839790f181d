#pragma once

namespace sbx::sys {

/// From here on this process is killed (SIGKILL) when the thread that started it ends. `answer` is the pipe by which that one
/// reads: if nobody holds its other end, it is gone already, and this process ends at once. Undone by execve of a set-uid program.
void die_with_parent(int answer);

/// Our parent; 0 if it lives outside of our pid namespace. One system call, also for what runs after clone().
long parent_pid() noexcept;

}  // namespace sbx::sys
