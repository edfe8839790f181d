#include "runtime/health_monitor.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/log.hpp"
#include "base/rfc3339.hpp"
#include "runtime/exec.hpp"
#include "runtime/poll_events.hpp"
#include "runtime/run.hpp"
#include "sys/channel.hpp"
#include "sys/file.hpp"
#include "sys/ns.hpp"
#include "sys/parent.hpp"
#include "sys/raw.hpp"
#include "sys/signal_fd.hpp"

namespace sbx::runtime {
namespace {

constexpr std::size_t kMaxOutput = 4096;  // as docker

[[noreturn]] void run_check(const HealthMonitor::Input& in, sys::Fd output) {
  sys::reset_signals_for_role();
  sys::die_with_parent(output.get());
  for (const int standard : {STDOUT_FILENO, STDERR_FILENO}) {
    (void)sys::raw::dup2(output.get(), standard);
  }
  ExecOptions options;
  options.root = in.data_root;
  options.container = in.id;
  options.command = health_command(in.check);
  const Result<int> code = runtime::exec(options);
  if (!code) {
    (void)sys::write_full(STDERR_FILENO, code.error().message(), "output");
  }
  sys::raw::exit(code ? *code : exit_code_of(code.error()));
}

}  // namespace

void HealthMonitor::begin() {
  begin_ = Clock::now();
  due_ = *begin_ + health_.pause(age());
  write_file();
}

std::chrono::milliseconds HealthMonitor::age() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - *begin_);
}

int HealthMonitor::timeout() const {
  if (!begin_) {
    return -1;
  }
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(due_ - Clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1 << 30));
}

void HealthMonitor::add_poll(std::vector<pollfd>& polls) const {
  polls.push_back({check_.running() ? check_.pidfd() : -1, POLLIN, 0});
  polls.push_back({output_ ? output_.get() : -1, POLLIN, 0});
}

void HealthMonitor::handle(const std::vector<pollfd>& polls) {
  if (!begin_) {
    return;
  }
  if (output_ && events_on(polls, output_.get()) != 0) {
    read_output();
  }
  if (check_.running() && events_on(polls, check_.pidfd()) != 0) {
    const Result<sys::ExitStatus> status = check_.wait();
    finish_check(status ? status->shell_code() : -1);
  } else if (Clock::now() >= due_ && check_.running()) {
    check_.kill();
    (void)check_.wait();
    result_.output = fmt::format("Health check exceeded timeout ({} ms)", in_.check.timeout);
    finish_check(-1);
  } else if (Clock::now() >= due_) {
    if (Result<void> started = start_check(); !started) {
      result_.output = started.error().message();
      finish_check(-1);
    }
  }
}

Result<void> HealthMonitor::start_check() {
  result_ = {now_rfc3339(), "", 0, ""};
  due_ = Clock::now() + std::chrono::milliseconds(in_.check.timeout);
  sys::Pipe pipe = SBX_TRY(sys::make_pipe());
  sys::Cloned cloned = SBX_TRY(sys::fork_role());
  if (cloned.pid == 0) {
    pipe.reader.reset();
    run_check(in_, std::move(pipe.writer));
  }
  check_ = sys::Child(cloned.pid, std::move(cloned.pidfd));
  output_ = std::move(pipe.reader);
  return sys::set_nonblocking(output_.get());
}

void HealthMonitor::read_output() {
  std::array<char, kMaxOutput> buffer;  // NOLINT: read before written never happens
  const ssize_t got = ::read(output_.get(), buffer.data(), buffer.size());
  if (got == 0) {
    output_.reset();
  } else if (got > 0) {
    const std::size_t room = kMaxOutput - result_.output.size();
    result_.output.append(buffer.data(), std::min(static_cast<std::size_t>(got), room));
  }
}

void HealthMonitor::finish_check(int exit_code) {
  if (output_) {
    read_output();
  }
  output_.reset();  // what it left behind inside may still have the other end
  result_.exit_code = exit_code;
  result_.end = now_rfc3339();
  health_.add(std::move(result_), age());
  result_ = {};
  due_ = Clock::now() + health_.pause(age());
  write_file();
}

void HealthMonitor::write_file() const {
  // Through a power cut nobody needs it.
  if (Result<void> written = sys::write_file_at(
          in_.container, kHealthFile, dump_json(health_.json()), 0600, sys::Durability::kCached);
      !written) {
    log::debug("{}", written.error().message());
  }
}

}  // namespace sbx::runtime
