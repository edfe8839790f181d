#pragma once

// The standard streams of a sandbox. What is a file or a pipe is passed through as it is; a terminal of the
// host never gets in (TIOCSTI, CVE-2017-5226): its bytes are relayed, through pipes or a terminal of the sandbox's own.

#include <poll.h>

#include <list>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "runtime/relay.hpp"
#include "sandbox/stage.hpp"
#include "sys/fd.hpp"
#include "sys/tty.hpp"

namespace sbx::runtime {

/// What is at the other side of the streams of a sandbox in the background.
struct DetachedStreams {
  ContainerLog* log = nullptr;        // gets what it writes; borrowed, nullptr: nobody
  Attachments* watched_by = nullptr;  // get it too, and may write to its standard input; borrowed
  bool input_ends = false;            // with the first of them whose input does, else never
};

class Streams {
 public:
  /// Looks at descriptors 0, 1 and 2. kInvalidArgument for -i -t without a terminal (as docker).
  static Result<Streams> make(bool interactive, bool terminal);

  /// For a sandbox in the background.
  static Result<Streams> make_detached(const DetachedStreams& ends, bool interactive,
                                       bool terminal);

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
  /// Where input of who watches goes; -1: it is not wanted.
  [[nodiscard]] int input_end() const;
  void write_waiting_input();
  void handle_attachments(const std::vector<pollfd>& polls);

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
  std::optional<DetachedStreams> detached_;
  std::string waiting_input_;  // of who watches; the sandbox has not taken it yet
  bool input_ended_ = false;
  std::optional<sys::RawTerminal> raw_;
};

}  // namespace sbx::runtime
