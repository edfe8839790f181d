#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "net/slirp_stack.hpp"
#include "sys/fd.hpp"

namespace sbx::net {

/// What the network process of one sandbox is asked to do.
struct SlirpRequest {
  SlirpStack::Options stack;
  std::string resolv_conf =
      "/etc/resolv.conf";  // the host's; resolver_view() tells what of it stays visible
  std::uint32_t unprivileged_id = 65534;  // uid and gid to become if started by root
  pid_t parent = 0;                       // SIGKILL when it ends; 0: no such watch
  std::vector<int> death_fds;             // borrowed; readable or hung up means: leave
  std::vector<int> keep_fds;  // borrowed; stay open, such as the channel that brings the tap
};

/// The network process: libslirp between a tap and the host's sockets. To be used in a process of its own, forked from the
/// single-threaded supervisor without execve, in the host's network namespace and not in the sandbox's pid namespace.
///
///   SlirpServer server = SBX_TRY(SlirpServer::prepare(request));   // confined from here on
///   sys::Fd tap = SBX_TRY(sys::receive_fd(channel, "tap"));        // allowed by the filter
///   return server.serve(std::move(tap));
class SlirpServer {
 public:
  /// Starts libslirp, then gives up everything (sys/isolate.hpp, all stages): descriptors other than those named, standard streams, session,
  /// root's ids, the file tree, capabilities, system calls. What a nested sandbox or an old kernel lacks is left out with a debug
  /// line, on an ordinary host with a warning; capabilities and the system call filter are never left out.
  static Result<SlirpServer> prepare(const SlirpRequest& request);

  /// Carries frames until a death descriptor speaks up or the tap is gone (success), or poll(2) fails. `tap` must be
  /// non-blocking. Nobody should wait for this process to end: closing the tap takes the kernel some 30 ms.
  Result<void> serve(sys::Fd tap);

 private:
  SlirpServer(std::unique_ptr<SlirpStack> stack, const SlirpRequest& request)
      : stack_(std::move(stack)), plan_(request.stack.plan), death_fds_(request.death_fds) {}
  bool read_frames(int tap);

  std::unique_ptr<SlirpStack> stack_;
  AddressPlan plan_;
  std::vector<int> death_fds_;
  std::vector<std::uint8_t> frame_;
};

/// prepare and serve for a tap that is at hand already.
Result<void> serve(const SlirpRequest& request, sys::Fd tap);

}  // namespace sbx::net
