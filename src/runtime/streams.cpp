#include "runtime/streams.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "runtime/poll_events.hpp"
#include "sys/channel.hpp"

namespace sbx::runtime {
namespace {

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

Result<Streams> Streams::make_detached(const DetachedStreams& ends, bool interactive,
                                       bool terminal) {
  Streams streams;
  streams.detached_.emplace(ends);
  streams.interactive_ = interactive;
  streams.terminal_ = terminal;
  streams.fds_.in = streams.fds_.out = streams.fds_.err = -1;
  if (terminal) {
    return streams;
  }
  if (interactive) {
    sys::Pipe pipe = SBX_TRY(sys::make_pipe());
    SBX_TRY(sys::set_nonblocking(pipe.writer.get()));
    streams.fds_.in = pipe.reader.get();
    streams.input_pipe_ = std::move(pipe.writer);
    streams.given_.push_back(std::move(pipe.reader));
  }
  for (const auto& [stream, slot] : {std::pair(LogStream::kOut, &streams.fds_.out),
                                     std::pair(LogStream::kErr, &streams.fds_.err)}) {
    sys::Pipe pipe = SBX_TRY(sys::make_pipe());
    *slot = pipe.writer.get();
    streams.logs_.emplace_back(pipe.reader.get(), stream, ends.log, *ends.watched_by);
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
    logs_.emplace_back(master_.get(), LogStream::kOut, detached_->log, *detached_->watched_by);
    return sys::set_nonblocking(master_.get());
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
  if (!detached_) {
    return;
  }
  const bool room = detached_->watched_by->keeps_up();
  for (const LogRelay& relay : logs_) {
    polls.push_back({relay.done() || !room ? -1 : relay.from(), POLLIN, 0});
  }
  polls.push_back({waiting_input_.empty() ? -1 : input_end(), POLLOUT, 0});
  detached_->watched_by->add_poll(polls, waiting_input_.empty());
}

int Streams::input_end() const {
  return input_pipe_                            ? input_pipe_.get()
         : terminal_ && interactive_ && master_ ? master_.get()
                                                : -1;
}

void Streams::write_waiting_input() {
  const ssize_t put = ::write(input_end(), waiting_input_.data(), waiting_input_.size());
  if (put >= 0) {
    waiting_input_.erase(0, static_cast<std::size_t>(put));
  } else if (errno != EAGAIN && errno != EINTR) {
    waiting_input_.clear();  // nobody reads it any more
  }
  if (waiting_input_.empty() && input_ended_) {
    input_pipe_.reset();
  }
}

void Streams::handle_attachments(const std::vector<pollfd>& polls) {
  if (!waiting_input_.empty() && events_on(polls, input_end(), POLLOUT) != 0) {
    write_waiting_input();
  }
  const auto take = [&](std::string_view bytes) {
    if (input_end() >= 0) {
      waiting_input_ += bytes;
      write_waiting_input();
    }
  };
  const auto end = [&] {
    input_ended_ = detached_->input_ends && !terminal_;
    write_waiting_input();
  };
  detached_->watched_by->handle(polls, {take, end, [&](sys::TerminalSize size) {
                                          if (master_) {
                                            sys::set_terminal_size(master_.get(), size);
                                          }
                                        }});
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
    if (!relay.done() && events_on(polls, relay.from(), POLLIN) != 0 &&
        detached_->watched_by->keeps_up()) {
      relay.read_some();
    }
  }
  if (detached_) {
    handle_attachments(polls);
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
