#include "sys/close_aside.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <tuple>

#include "sys/channel.hpp"
#include "sys/raw.hpp"

namespace sbx::sys {
namespace {

/// Nothing stays open but `files`, which are sorted, and `gate`: a reader of our output shall not wait for us, nor anybody for
/// our locks.
void close_others(const std::vector<Fd>& files, int gate) {
  unsigned from = 0;
  const auto keep = [&](int fd) {
    const auto number = static_cast<unsigned>(fd);
    if (number > from) {
      (void)raw::close_range(from, number - 1);
    }
    from = number + 1;
  };
  bool gate_kept = false;
  for (const Fd& file : files) {
    if (!gate_kept && gate < file.get()) {
      keep(gate);
      gate_kept = true;
    }
    keep(file.get());
  }
  if (!gate_kept) {
    keep(gate);
  }
  (void)raw::close_range(from, ~0U);
}

/// In the new process: the program may have threads, so nothing but system calls from here on.
[[noreturn]] void close_last(const std::vector<Fd>& files, int gate) {
  close_others(files, gate);
  (void)raw::new_session();  // a Ctrl-C is not meant for us
  if (raw::fork() == 0) {
    // Whose close is the last one has the work: the caller has closed its copies when the pipe ends.
    char nothing = 0;
    std::ignore = ::read(gate, &nothing, 1);
  }
  raw::exit(0);
}

}  // namespace

void close_aside(std::vector<Fd> files) {
  if (files.empty()) {
    return;
  }
  std::sort(files.begin(), files.end(), [](const Fd& a, const Fd& b) { return a.get() < b.get(); });
  Result<Pipe> gate = make_pipe();
  const long pid = gate ? raw::fork() : -1;
  if (pid == 0) {
    close_last(files, gate->reader.get());
  }
  if (pid > 0) {
    (void)::waitpid(static_cast<pid_t>(pid), nullptr,
                    0);  // it ends at once; its child does the work
  }
  files.clear();
}

}  // namespace sbx::sys
