#include "runtime/inside.hpp"

#include <signal.h>

#include "base/error_json.hpp"
#include "base/json.hpp"
#include "runtime/exec.hpp"
#include "runtime/run.hpp"
#include "sys/channel.hpp"
#include "sys/file.hpp"
#include "sys/ns.hpp"
#include "sys/parent.hpp"
#include "sys/raw.hpp"
#include "sys/signal_fd.hpp"
#include "sys/user_namespace.hpp"

namespace sbx::runtime {
namespace {

constexpr std::size_t kMaxReport = std::size_t{64} << 10U;
constexpr int kTries = 3;

void write_report(int fd, const Result<void>& result) {
  const Json line = result ? Json::object() : error_to_json(result.error());
  // Who reads sees a report that is missing.
  (void)sys::write_full(fd, dump_json(line) + "\n", "report");
}

/// What both kinds of process begin with once they are inside.
Result<void> act(const InsideProcess::Input& input, int report) {
  (void)sys::raw::set_process_name("sbx: copy");
  sys::die_with_parent(report);
  (void)::signal(SIGPIPE, SIG_IGN);  // a reader that goes is an error to tell
  (void)sys::raw::umask(0);
  return input.action();
}

Result<void> act_in_running(const InsideProcess::Input& input, int report) {
  // Of a sandbox that is made, the stage sees to this, once the id maps are written.
  (void)sys::raw::set_dumpable(false);
  {
    const sys::Fd command = SBX_TRY(open_command_of(input.data_root, input.id));
    SBX_TRY(sys::enter_tree_of(command.get()));
  }
  return act(input, report);
}

/// PID 1 of a sandbox that was made for this. What it forks may use the C library again.
void act_as_init(const InsideProcess::Input& input, int report) {
  Result<sys::Cloned> forked = sys::fork_role();
  if (!forked) {
    write_report(report, fail(forked.error()));
    return;
  }
  if (forked->pid == 0) {
    sys::reset_signals_for_role();
    (void)sys::close_all_but({input.keep, report});
    write_report(report, act(input, report));
    sys::raw::exit(0);
  }
  // Its own end of the supervisor's channel too: then the sandbox runs.
  (void)sys::close_all_but({forked->pidfd.get()});
  (void)sys::Child(forked->pid, std::move(forked->pidfd)).wait();
}

/// In a process of its own.
void work(const InsideProcess::Input& input, int report) {
  for (int i = 0;; ++i) {
    const Result<bool> visited =
        visit(input.data_root, input.id, [&] { act_as_init(input, report); });
    if (visited && *visited) {
      return;  // the report was written inside
    }
    const Result<void> done =
        visited ? act_in_running(input, report) : Result<void>(fail(visited.error()));
    const bool ended_meanwhile = visited && !done && done.error().code == ErrorCode::kBusy;
    if (!ended_meanwhile || i == kTries) {
      write_report(report, done);
      return;
    }
  }
}

}  // namespace

Result<InsideProcess> InsideProcess::start(const Input& input) {
  sys::Pipe report = SBX_TRY(sys::make_pipe());
  sys::Cloned forked = SBX_TRY(sys::fork_role());
  if (forked.pid == 0) {
    (void)sys::close_all_but({input.keep, report.writer.get()});
    sys::die_with_parent(report.writer.get());
    work(input, report.writer.get());
    sys::raw::exit(0);
  }
  return InsideProcess(sys::Child(forked.pid, std::move(forked.pidfd)), std::move(report.reader));
}

Result<void> InsideProcess::finish() {
  const std::string text = SBX_TRY(sys::read_fd(report_.get(), kMaxReport, "report"));
  (void)child_.wait();
  const std::string line = text.substr(0, text.find('\n'));
  if (line.empty()) {
    return fail(Error::make(ErrorCode::kSystem, "work in the container", "",
                            "the process there was killed"));
  }
  const Json json = SBX_TRY(parse_json(line, "report"));
  return json.empty() ? Result<void>() : fail(SBX_TRY(error_from_json(json)));
}

}  // namespace sbx::runtime
