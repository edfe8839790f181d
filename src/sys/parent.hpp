#pragma once

namespace sbx::sys {

/// From here on this process is killed (SIGKILL) when the thread that started it ends. `answer` is the pipe by which that one
/// reads: if nobody holds its other end, it is gone already, and this process ends at once. Undone by execve of a set-uid program.
void die_with_parent(int answer);

}  // namespace sbx::sys
