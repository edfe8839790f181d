#pragma once

#include <csignal>

namespace sbx::sys {

/// While it lives, a write to a pipe that nobody reads is EPIPE for this thread and no SIGPIPE: for libraries that write to
/// programs of theirs. Programs started meanwhile inherit the blocked signal.
class PipeSignalBlock {
 public:
  PipeSignalBlock();
  ~PipeSignalBlock();
  PipeSignalBlock(const PipeSignalBlock&) = delete;
  PipeSignalBlock& operator=(const PipeSignalBlock&) = delete;

 private:
  sigset_t before_{};
  bool pending_before_ = false;
};

}  // namespace sbx::sys
