#include "runtime/lifecycle.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include <algorithm>
#include <charconv>
#include <chrono>

#include "runtime/container_dir.hpp"
#include "runtime/events.hpp"
#include "runtime/pause.hpp"
#include "sys/file.hpp"
#include "sys/ns.hpp"

namespace sbx::runtime {
namespace {

// How long the supervisor may take to put things away once its command is dead.
constexpr int kCleanUpMs = 15000;
// How often a container that is about to start or to end is looked at: there is nothing to watch then.
constexpr timespec kPause{0, 5'000'000};
constexpr timespec kLongPause{0, 20'000'000};
constexpr int kSettleTries = 2000;  // ten seconds

Error not_running(const Container& container) {
  return Error::make(ErrorCode::kBusy, "send a signal to container",
                     container.state.id.substr(0, 12), "it is not running");
}

/// Waits at most `ms` (negative: for ever) for the end of a process. A process that is gone has ended.
Result<bool> ends_within(const sys::ProcessMark& mark, int ms) {
  const Result<sys::Fd> process = sys::open_process(mark);
  if (!process) {
    return process.error().code == ErrorCode::kNotFound ? Result<bool>(true)
                                                        : fail(process.error());
  }
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    pollfd entry{process->get(), POLLIN, 0};
    const int events =
        ::poll(&entry, 1, ms < 0 ? -1 : static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (events >= 0) {
      return events == 1;
    }
    if (errno != EINTR) {
      return fail(Error::system("wait for process", std::to_string(mark.pid)));
    }
  }
}

/// To a process that may be gone.
Result<void> signal_mark(const sys::ProcessMark& mark, int signal) {
  const Result<sys::Fd> process = sys::open_process(mark);
  return process ? sys::signal_process(process->get(), signal) : Result<void>();
}

struct StopRules {
  int signal = SIGTERM;
  int timeout = 10;
  bool own_signal = false;  // somebody chose it
};

Result<StopRules> stop_rules(const std::string& data_root, const std::string& id) {
  const StoredRequest stored = SBX_TRY(read_container_config(data_root, id)).stored;
  return StopRules{
      stored.request.stop_signal ? SBX_TRY(parse_signal(*stored.request.stop_signal)) : SIGTERM,
      stored.request.stop_timeout, stored.request.stop_signal.has_value()};
}

/// The supervisor has written and removed what it had to. If it does not come to that, it is killed: then all of the sandbox goes.
Result<void> wait_for_supervisor(const std::string& data_root, const Container& container) {
  constexpr int kLookMs = 50;
  for (int waited = 0; waited < kCleanUpMs; waited += kLookMs) {
    if (SBX_TRY(ends_within(container.state.monitor, kLookMs))) {
      return {};
    }
    // It may have decided to run the container again just before it could know of the stop.
    const Result<Container> now = read_container(data_root, container.state.id);
    if (now && now->restarting()) {
      SBX_TRY(signal_mark(container.state.monitor, SIGTERM));
    } else if (now && now->running() && now->state.init.pid != container.state.init.pid) {
      SBX_TRY(signal_mark(now->state.init, SIGKILL));
    }
  }
  SBX_TRY(signal_mark(container.state.monitor, SIGKILL));
  (void)SBX_TRY(ends_within(container.state.monitor, kCleanUpMs));
  return {};
}

}  // namespace

Result<int> parse_signal(const std::string& text) {
  int number = 0;
  const char* const end = text.data() + text.size();
  if (std::from_chars(text.data(), end, number).ptr == end && number > 0 && number <= SIGRTMAX) {
    return number;
  }
  std::string name = text;
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  if (name.starts_with("SIG")) {
    name.erase(0, 3);
  }
  for (int one = 1; one < NSIG; ++one) {
    const char* const known = ::sigabbrev_np(one);
    if (known != nullptr && name == known) {
      return one;
    }
  }
  return fail(
      Error::make(ErrorCode::kInvalidArgument, "use signal", text, "there is no such signal")
          .with_hint("a name as SIGTERM or TERM, or a number"));
}

namespace {

/// As docker: what is to end a paused container lets it go on, so that it can act on it. SIGKILL needs nobody's help.
Result<void> resume_for(const std::string& data_root, const Container& container, int signal) {
  if (!container.paused || signal == SIGKILL) {
    return {};
  }
  const StopRules rules = SBX_TRY(stop_rules(data_root, container.state.id));
  if (rules.own_signal && signal != rules.signal) {
    return {};
  }
  Result<void> resumed = unpause_container(data_root, container);
  const bool settled_already = !resumed && resumed.error().code == ErrorCode::kBusy;
  return settled_already ? Result<void>() : resumed;
}

}  // namespace

Result<void> kill_container(const std::string& data_root, const Container& given, int signal) {
  const Container container = SBX_TRY(settled(data_root, given));
  if (!container.running()) {
    return fail(not_running(container));
  }
  const Result<sys::Fd> process = sys::open_process(container.state.init);
  if (!process) {
    return fail(process.error().code == ErrorCode::kNotFound ? not_running(container)
                                                             : process.error());
  }
  if (signal == SIGKILL || signal == SBX_TRY(stop_rules(data_root, container.state.id)).signal) {
    SBX_TRY(note_stop(data_root, container.state.id));
  }
  SBX_TRY(sys::signal_process(process->get(), signal));
  write_container_event(data_root, container.state, "kill", {{"signal", std::to_string(signal)}});
  return resume_for(data_root, container, signal);
}

Result<void> stop_container(const std::string& data_root, const Container& given,
                            std::optional<int> timeout) {
  const Container container = SBX_TRY(settled(data_root, given));
  if (!container.running() && !container.restarting()) {
    return {};
  }
  SBX_TRY(note_stop(data_root, container.state.id));
  if (container.restarting()) {
    SBX_TRY(signal_mark(container.state.monitor, SIGTERM));
    return wait_for_supervisor(data_root, container);
  }
  const StopRules rules = SBX_TRY(stop_rules(data_root, container.state.id));
  const int seconds = timeout.value_or(rules.timeout);
  const int ms = seconds < 0 ? -1 : std::min(seconds, 2'000'000) * 1000;
  if (seconds != 0) {
    if (Result<void> sent = kill_container(data_root, container, rules.signal);
        !sent && sent.error().code != ErrorCode::kBusy) {
      return sent;
    }
  }
  if (!SBX_TRY(ends_within(container.state.init, ms))) {
    if (Result<void> sent = kill_container(data_root, container, SIGKILL);
        !sent && sent.error().code != ErrorCode::kBusy) {
      return sent;
    }
  }
  SBX_TRY(wait_for_supervisor(data_root, container));
  write_container_event(data_root, container.state, "stop");
  return {};
}

EndWatch::EndWatch(std::string data_root, Container container)
    : data_root_(std::move(data_root)),
      now_(std::move(container)),
      finished_before_(now_.state.finished),
      ran_(now_.busy && now_.state.status == ContainerStatus::kRunning) {
  const std::string path = data_root_ + "/containers/" + now_.state.id + "/lock";
  if (Result<sys::Fd> note = sys::open_at(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW)) {
    note_ = std::move(note).value();
  }
}

bool EndWatch::reached(WaitFor what) const {
  switch (what) {
    case WaitFor::kNotRunning:
      return !now_.busy && now_.state.status != ContainerStatus::kCreated;
    case WaitFor::kNextExit:
      return now_.state.finished != finished_before_ || (ran_ && !now_.busy);
    case WaitFor::kRemoved:
      break;
  }
  return false;
}

Result<int> EndWatch::wait(WaitFor what) {
  while (!reached(what)) {
    if (now_.running()) {
      ran_ = true;
      (void)SBX_TRY(ends_within(now_.state.init, -1));
      (void)::nanosleep(&kPause, nullptr);  // its supervisor writes how it ended
    } else {
      (void)::nanosleep(&kLongPause, nullptr);
    }
    Result<Container> next = read_container(data_root_, now_.state.id);
    if (!next) {
      const std::optional<int> code = note_ ? read_exit_note(note_.get()) : std::nullopt;
      return code                        ? *code
             : what == WaitFor::kRemoved ? Result<int>(now_.state.exit_code)
                                         : fail(next.error());
    }
    now_ = std::move(next).value();
  }
  return now_.state.exit_code;
}

Result<void> remove_container(const std::string& data_root, const Container& given,
                              const Removal& removal) {
  const std::string& id = given.state.id;
  const std::string name = id.substr(0, 12);
  for (int i = 0; i < kSettleTries; ++i) {
    const Result<Container> found = read_container(data_root, id);
    const Result<Container> container = found ? settled(data_root, *found) : found;
    if (!container) {  // it may also have gone with its own end
      return container.error().code == ErrorCode::kNotFound ? Result<void>()
                                                            : fail(container.error());
    }
    if ((container->running() || container->restarting()) && !removal.force) {
      return fail(Error::make(ErrorCode::kBusy, "remove container", name, "it is running")
                      .with_hint("stop it before, or use --force"));
    }
    SBX_TRY(stop_container(data_root, *container, 0));
    if (!SBX_TRY(remove_containers(data_root, {*container}, removal.volumes)).empty()) {
      return {};
    }
    (void)::nanosleep(&kPause, nullptr);  // another command was faster
  }
  return fail(Error::make(ErrorCode::kBusy, "remove container", name, "another process has it"));
}

}  // namespace sbx::runtime
