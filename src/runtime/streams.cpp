#include "runtime/streams.hpp"

#include <unistd.h>

#include <algorithm>

#include "sys/channel.hpp"

namespace sbx::runtime {
namespace {

short events_on(const std::vector<pollfd>& polls, int fd, short wanted) {
  for (const pollfd& entry : polls) {
    if (entry.fd == fd && (entry.events & wanted) != 0) {
      return entry.revents;
    }
  }
  return 0;
}

void add_relay(const Relay& relay, std::vector<pollfd>& polls) {
  if (relay.wants_write()) {
    polls.push_back({relay.to(), POLLOUT, 0});
  } else if (relay.wants_read()) {
    polls.push_back({relay.from(), POLLIN, 0});
  }
}

void handle_relay(Relay& relay, const std::vector<pollfd>& polls) {
  if (relay.wants_write()) {
    if (events_on(polls, relay.to(), POLLOUT) != 0) {
      relay.write_some();
    }
  } else if (relay.wants_read() && events_on(polls, relay.from(), POLLIN) != 0) {
    relay.read_some();
    if (relay.wants_write()) {
      relay
          .write_some();  // nearly always possible; a full pipe blocks us for its reader, as a plain write would
    }
  }
}

}  // namespace

Result<Streams> Streams::make(bool interactive, bool terminal) {
  Streams streams;
  streams.interactive_ = interactive;
  streams.terminal_ = terminal;
  if (terminal) {
    if (interactive && !sys::is_terminal(STDIN_FILENO)) {
      return fail(Error::make(ErrorCode::kInvalidArgument, "use --tty with --interactive", "",
                              "standard input is not a terminal")
                      .with_hint("leave out --tty"));
    }
    streams.fds_.in = streams.fds_.out = streams.fds_.err = -1;
    return streams;
  }
  if (interactive) {
    streams.fds_.in = STDIN_FILENO;
    if (sys::is_terminal(STDIN_FILENO)) {
      sys::Pipe pipe = SBX_TRY(sys::make_pipe());
      streams.fds_.in = pipe.reader.get();
      streams.input_.emplace(STDIN_FILENO, pipe.writer.get());
      streams.input_pipe_ = std::move(pipe.writer);
      streams.given_.push_back(std::move(pipe.reader));
    }
  }
  for (const auto& [standard, slot] :
       {std::pair(STDOUT_FILENO, &streams.fds_.out), std::pair(STDERR_FILENO, &streams.fds_.err)}) {
    *slot = standard;
    if (sys::is_terminal(standard)) {
      sys::Pipe pipe = SBX_TRY(sys::make_pipe());
      *slot = pipe.writer.get();
      streams.outputs_.emplace_back(pipe.reader.get(), standard);
      streams.ours_.push_back(std::move(pipe.reader));
      streams.given_.push_back(std::move(pipe.writer));
    }
  }
  return streams;
}

Result<Streams> Streams::make_detached(ContainerLog* log, bool interactive, bool terminal) {
  Streams streams;
  streams.detached_ = true;
  streams.terminal_ = terminal;
  streams.log_ = log;
  streams.fds_.in = streams.fds_.out = streams.fds_.err = -1;
  if (terminal) {
    return streams;
  }
  if (interactive) {
    sys::Pipe pipe = SBX_TRY(sys::make_pipe());
    streams.fds_.in = pipe.reader.get();
    streams.input_pipe_ = std::move(pipe.writer);
    streams.given_.push_back(std::move(pipe.reader));
  }
  if (log == nullptr) {
    return streams;
  }
  for (const auto& [stream, slot] : {std::pair(LogStream::kOut, &streams.fds_.out),
                                     std::pair(LogStream::kErr, &streams.fds_.err)}) {
    sys::Pipe pipe = SBX_TRY(sys::make_pipe());
    *slot = pipe.writer.get();
    streams.logs_.emplace_back(pipe.reader.get(), stream, log);
    streams.ours_.push_back(std::move(pipe.reader));
    streams.given_.push_back(std::move(pipe.writer));
  }
  return streams;
}

void Streams::give_to(sandbox::StageFds& fds) const {
  fds.in = fds_.in;
  fds.out = fds_.out;
  fds.err = fds_.err;
}

void Streams::close_given() { given_.clear(); }

Result<void> Streams::connect_terminal(sys::Fd master) {
  master_ = std::move(master);
  if (detached_) {
    // Somebody must read, or the sandbox would wait for room.
    logs_.emplace_back(master_.get(), LogStream::kOut, log_);
    return {};
  }
  resize();
  if (interactive_) {
    raw_.emplace(SBX_TRY(sys::RawTerminal::enter(STDIN_FILENO)));
    input_.emplace(STDIN_FILENO, master_.get());
  }
  outputs_.emplace_back(master_.get(), STDOUT_FILENO);
  return {};
}

void Streams::resize() const {
  if (!master_) {
    return;
  }
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (const auto size = sys::terminal_size(standard)) {
      sys::set_terminal_size(master_.get(), *size);
      return;
    }
  }
}

void Streams::add_poll(std::vector<pollfd>& polls) const {
  if (input_) {
    add_relay(*input_, polls);
  }
  for (const Relay& relay : outputs_) {
    add_relay(relay, polls);
  }
  for (const LogRelay& relay : logs_) {
    polls.push_back({relay.done() ? -1 : relay.from(), POLLIN, 0});
  }
}

void Streams::handle(const std::vector<pollfd>& polls) {
  if (input_) {
    handle_relay(*input_, polls);
    if (input_->done()) {
      stop_input();
    }
  }
  for (Relay& relay : outputs_) {
    handle_relay(relay, polls);
  }
  for (LogRelay& relay : logs_) {
    if (!relay.done() && events_on(polls, relay.from(), POLLIN) != 0) {
      relay.read_some();
    }
  }
}

void Streams::stop_input() {
  input_.reset();
  input_pipe_.reset();  // the sandbox reads end of file
}

bool Streams::drained() const {
  return std::all_of(outputs_.begin(), outputs_.end(),
                     [](const Relay& relay) { return relay.done(); }) &&
         std::all_of(logs_.begin(), logs_.end(),
                     [](const LogRelay& relay) { return relay.done(); });
}

}  // namespace sbx::runtime
