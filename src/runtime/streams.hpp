#pragma once

// The standard streams of a sandbox. What is a file or a pipe is passed through as it is; a terminal of the
// host never gets in (TIOCSTI, CVE-2017-5226): its bytes are relayed, through pipes or a terminal of the sandbox's own.

#include <poll.h>

#include <list>
#include <optional>
#include <vector>

#include "base/result.hpp"
#include "runtime/relay.hpp"
#include "sandbox/stage.hpp"
#include "sys/fd.hpp"
#include "sys/tty.hpp"

namespace sbx::runtime {

class Streams {
 public:
  /// Looks at descriptors 0, 1 and 2. kInvalidArgument for -i -t without a terminal (as docker).
  static Result<Streams> make(bool interactive, bool terminal);

  /// For a sandbox that nobody watches: what it writes goes to `log` (borrowed; nullptr: to nobody). With `interactive` its
  /// standard input never ends.
  static Result<Streams> make_detached(ContainerLog* log, bool interactive, bool terminal);

  /// The ends for the sandbox, to be put into `fds`.
  void give_to(sandbox::StageFds& fds) const;
  /// Closes the sandbox's ends here, once the sandbox has them.
  void close_given();
  /// The sandbox's terminal is there: raw mode on ours, sizes adjusted, relays begin.
  Result<void> connect_terminal(sys::Fd master);
  /// After SIGWINCH.
  void resize() const;

  void add_poll(std::vector<pollfd>& polls) const;
  void handle(const std::vector<pollfd>& polls);
  /// Everything that the sandbox wrote has arrived. Only true after its end.
  [[nodiscard]] bool drained() const;
  /// Nothing more is taken from our standard input.
  void stop_input();

  [[nodiscard]] std::optional<sys::RawTerminal>& raw_terminal() { return raw_; }

 private:
  bool interactive_ = false;
  bool terminal_ = false;
  std::vector<sys::Fd> given_;  // the sandbox's ends
  std::vector<sys::Fd> ours_;   // our ends of the pipes
  sys::Fd input_pipe_;          // writing end towards the sandbox; closed at the end of our input
  sys::Fd master_;
  sandbox::StageFds fds_;
  std::optional<Relay> input_;
  std::list<Relay> outputs_;
  std::list<LogRelay> logs_;
  ContainerLog* log_ = nullptr;
  bool detached_ = false;
  std::optional<sys::RawTerminal> raw_;
};

}  // namespace sbx::runtime
